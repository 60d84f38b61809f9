// Package playground is the logic of the web page on which people try a policy: what is
// wrong with the files in its editors, how the policy decides a request and why, who may do
// what, and the results of the tests. It uses neither files nor the network, so that it
// runs in a browser.
package playground

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core"
)

// The files of the page.
const (
	ModelFile  = "model.conf"
	PolicyFile = "policy.csv"
	TestsFile  = "policy.tests"
	RoutesFile = "routes.json"
)

// Input is the state of the page.
type Input struct {
	// Files are the texts in the editors, by file name.
	Files map[string]string `json:"files"`
	// Policies are the names of the policy files in the order in which they are read; if
	// there are none, PolicyFile alone.
	Policies []string `json:"policies,omitempty"`
	Options  Options  `json:"options"`
	Request  Request  `json:"request"`
}

// Options are the options of the command line with the same names.
type Options struct {
	AsCasbin          bool `json:"as_casbin,omitempty"`
	AllowAnonymous    bool `json:"allow_anonymous,omitempty"`
	WithoutTokenRoles bool `json:"without_token_roles,omitempty"`
	ObjectRoute       bool `json:"object_route,omitempty"`
	// RolePrefix is the prefix of role names in the policy.
	RolePrefix string `json:"role_prefix,omitempty"`
	// Attributes are types such as "age=number", RolePatterns such as "g=keyMatch", and
	// TenantPatterns such as "g".
	Attributes     []string `json:"attributes,omitempty"`
	RolePatterns   []string `json:"role_patterns,omitempty"`
	TenantPatterns []string `json:"tenant_patterns,omitempty"`
	// Users includes users in the matrix.
	Users bool `json:"users,omitempty"`
}

// Request is the request to decide.
type Request struct {
	Subject    string            `json:"subject"`
	Roles      []string          `json:"roles"`
	Tenant     string            `json:"tenant"`
	Object     string            `json:"object"`
	Action     string            `json:"action"`
	Attributes map[string]string `json:"attributes"`
}

// Playground answers the calls of one page. It keeps the policy that was loaded last, and
// of the next one only reads what has changed. It is not safe for concurrent use.
type Playground struct {
	setup  *setup // nil before the first call
	loaded *loaded
}

// setup is everything derived from the model and the options. It is reused until one of
// them changes.
type setup struct {
	model, routesText string
	policies          []string
	options           Options

	fields   []string // of the request definition
	routes   []core.RouteInfo
	problems []casbinrules.Finding // about the routes
	types    map[string]casbinrules.AttributeType
	opts     []casbinrules.Option
	texts    textFiles // policy files of the last load, by name
	linter   *casbinrules.Linter
	opened   *casbinrules.Authorizer // from the last texts that loaded; nil before
}

// loaded is the result of loading the files.
type loaded struct {
	*setup
	authorizer *ask.Policy // nil if the files were refused
	findings   []casbinrules.Finding
}

// Answer answers one call with JSON: "presets" without input, and "look", "draw" and "test"
// with an [Input] as JSON. A call that fails is answered with an object whose field error
// is a text for people.
func (p *Playground) Answer(call, input string) (answer string) {
	defer func() {
		if v := recover(); v != nil {
			*p = Playground{} // the state may be inconsistent
			answer = failure(fmt.Errorf("the engine failed: %v", v))
		}
	}()
	made, err := p.answer(context.Background(), call, input)
	if err != nil {
		return failure(err)
	}
	text, err := json.Marshal(made)
	if err != nil {
		return failure(err)
	}
	return string(text)
}

func failure(err error) string {
	text, _ := json.Marshal(map[string]string{"error": err.Error()}) // marshalling a text cannot fail
	return string(text)
}

func (p *Playground) answer(ctx context.Context, call, input string) (any, error) {
	if call == "presets" {
		return presets()
	}
	var in Input
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		return nil, fmt.Errorf("read the input: %w", err)
	}
	l, err := p.load(&in)
	if err != nil {
		return nil, err
	}
	switch call {
	case "look":
		return l.look(ctx, &in), nil
	case "draw":
		return l.draw(ctx, &in)
	case "test":
		return l.test(ctx, &in)
	}
	return nil, fmt.Errorf("there is no call %q", call)
}

// load loads the files, unless they are those of the last call. The error is about an
// option.
func (p *Playground) load(in *Input) (*loaded, error) {
	texts := in.policy()
	if !p.setup.matches(in) {
		s, err := newSetup(in)
		if err != nil {
			return nil, err
		}
		*p = Playground{setup: s}
	}
	if p.loaded == nil || !maps.Equal(p.setup.texts, texts) {
		l, err := p.setup.load(texts)
		p.loaded = l // nil after an error
		if err != nil {
			return nil, err
		}
	}
	return p.loaded, nil
}

func (in *Input) policies() []string {
	if len(in.Policies) == 0 {
		return []string{PolicyFile}
	}
	return in.Policies
}

func (in *Input) policy() textFiles {
	texts := textFiles{}
	for _, name := range in.policies() {
		texts[name] = in.Files[name]
	}
	return texts
}

// matches reports whether s is the setup for in.
func (s *setup) matches(in *Input) bool {
	return s != nil && s.model == in.Files[ModelFile] && s.routesText == in.Files[RoutesFile] && slices.Equal(s.policies, in.policies()) && reflect.DeepEqual(s.options, in.Options.withoutUsers())
}

// withoutUsers returns the options without the one that only affects the matrix.
func (o Options) withoutUsers() Options {
	o.Users = false
	return o
}

func newSetup(in *Input) (*setup, error) {
	s := &setup{
		model: in.Files[ModelFile], routesText: in.Files[RoutesFile], policies: in.policies(), options: in.Options.withoutUsers(),
		types: map[string]casbinrules.AttributeType{}, texts: textFiles{},
	}
	m := casbinrules.ModelText(ModelFile, s.model)
	var err error
	if s.fields, err = m.RequestFields(); err != nil {
		return nil, err
	}
	if err := s.setOptions(&s.options); err != nil {
		return nil, err
	}
	if strings.TrimSpace(s.routesText) != "" {
		if s.routes, err = ask.ParseRoutes([]byte(s.routesText)); err != nil {
			s.problems = []casbinrules.Finding{{
				File: RoutesFile, Line: 1, Column: 1, Severity: casbinrules.SeverityError, Code: "routes", Message: err.Error(),
			}}
		}
	}
	lintOpts := ask.LintOptions(s.opts)
	if s.routes != nil {
		lintOpts = append(lintOpts, casbinrules.WithRoutes(s.routes))
	}
	if s.linter, err = casbinrules.NewLinter(m, s.policies, lintOpts...); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *setup) load(texts textFiles) (*loaded, error) {
	clear(s.texts) // the open policy re-reads this map
	maps.Copy(s.texts, texts)
	l := &loaded{setup: s}
	var err error
	if l.findings, err = s.linter.Lint(s.texts); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(l.findings, func(f casbinrules.Finding) bool { return f.Severity == casbinrules.SeverityError }) {
		if err := s.open(); err != nil {
			return nil, err
		}
		l.authorizer = &ask.Policy{Authorizer: s.opened}
	}
	l.findings = append(slices.Clip(l.findings), s.problems...)
	return l, nil
}

// open makes the policy decide by the current content of the files.
func (s *setup) open() error {
	if s.opened != nil {
		return s.opened.ReloadForced(context.Background())
	}
	a, err := casbinrules.OpenFS(s.texts, casbinrules.ModelText(ModelFile, s.model), s.policies, s.opts...)
	if err != nil {
		return err
	}
	s.opened = a
	return nil
}

func (s *setup) setOptions(o *Options) (err error) {
	for _, text := range o.RolePatterns {
		if !strings.Contains(text, "=") {
			return fmt.Errorf("patterns in role links %s: write KIND=FUNCTION, such as g=keyMatch", text)
		}
	}
	opts := ask.Options{
		AsCasbin: o.AsCasbin, AllowAnonymous: o.AllowAnonymous, WithoutTokenRoles: o.WithoutTokenRoles, ObjectRoute: o.ObjectRoute,
		RolePrefix: o.RolePrefix, Attribute: o.Attributes, RolePatterns: o.RolePatterns, TenantPatterns: o.TenantPatterns,
	}
	s.types = opts.Types()
	for _, text := range o.Attributes {
		field, _, _ := strings.Cut(text, "=")
		if _, ok := s.types[field]; ok && s.fields != nil && !slices.Contains(s.fields, field) {
			return fmt.Errorf("type of attribute %s: %s", text, ask.NoAttribute(field, ask.Attributes(s.fields)))
		}
	}
	s.opts, err = opts.Library()
	return err
}

// canonical returns a question as a gate would ask it.
func (in *Input) canonical(q ask.Question) (ask.Question, string, error) {
	if in.Options.AsCasbin || in.Options.ObjectRoute {
		return q, "", nil
	}
	return ask.Canonical(q, false)
}
