// Package playground answers the page on which people try a policy: what is wrong
// with the files in its editors, what the policy says to a request and why, who may
// do what, and what came of the tests. It reads no file and no network, so that it
// runs where there is neither.
package playground

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
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

// Input is all that the page knows.
type Input struct {
	// Files are the texts in the editors by the names of files.
	Files   map[string]string `json:"files"`
	Options Options           `json:"options"`
	Request Request           `json:"request"`
}

// Options are those of the command line by these names.
type Options struct {
	AsCasbin          bool `json:"as_casbin,omitempty"`
	AllowAnonymous    bool `json:"allow_anonymous,omitempty"`
	WithoutTokenRoles bool `json:"without_token_roles,omitempty"`
	ObjectRoute       bool `json:"object_route,omitempty"`
	// RolePrefix begins the names of roles in the policy.
	RolePrefix string `json:"role_prefix,omitempty"`
	// Attributes are types as "age=number", RolePatterns as "g=keyMatch",
	// TenantPatterns as "g".
	Attributes     []string `json:"attributes,omitempty"`
	RolePatterns   []string `json:"role_patterns,omitempty"`
	TenantPatterns []string `json:"tenant_patterns,omitempty"`
	// Users wants users in the matrix, too.
	Users bool `json:"users,omitempty"`
}

// Request is the one to be decided.
type Request struct {
	Subject    string            `json:"subject"`
	Roles      []string          `json:"roles"`
	Tenant     string            `json:"tenant"`
	Object     string            `json:"object"`
	Action     string            `json:"action"`
	Attributes map[string]string `json:"attributes"`
}

// Playground answers the calls of one page. It keeps the policy that was loaded
// last, and is not safe for concurrent use.
type Playground struct {
	key    string
	loaded *loaded
}

// loaded is what became of the files.
type loaded struct {
	authorizer *ask.Policy // nil for files that are refused
	findings   []casbinrules.Finding
	fields     []string // of the request definition
	routes     []core.RouteInfo
	types      map[string]casbinrules.AttributeType
}

// Answer answers one call with JSON: "presets" without input, and "look", "draw"
// and "test" with an [Input] as JSON. What cannot be answered is an object with the
// field error, a text for people.
func (p *Playground) Answer(call, input string) (answer string) {
	defer func() {
		if v := recover(); v != nil {
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
	text, _ := json.Marshal(map[string]string{"error": err.Error()}) // a text is always JSON
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

// load reads the files, unless they were read last. The error is that of an option.
func (p *Playground) load(in *Input) (*loaded, error) {
	files := map[string]string{}
	for _, name := range []string{ModelFile, PolicyFile, RoutesFile} {
		files[name] = in.Files[name]
	}
	options := in.Options
	options.Users = false // which is about the matrix alone
	key, err := json.Marshal(Input{Files: files, Options: options})
	if err != nil {
		return nil, err
	}
	if p.key == string(key) {
		return p.loaded, nil
	}
	l, err := load(in)
	if err != nil {
		return nil, err
	}
	p.key, p.loaded = string(key), l
	return l, nil
}

func load(in *Input) (*loaded, error) {
	m := casbinrules.ModelText(ModelFile, in.Files[ModelFile])
	l := &loaded{types: map[string]casbinrules.AttributeType{}}
	var err error
	if l.fields, err = m.RequestFields(); err != nil {
		return nil, err
	}
	opts, err := l.options(&in.Options)
	if err != nil {
		return nil, err
	}
	var problems []casbinrules.Finding
	if text := in.Files[RoutesFile]; strings.TrimSpace(text) != "" {
		if l.routes, err = ask.ParseRoutes([]byte(text)); err != nil {
			problems = []casbinrules.Finding{{
				File: RoutesFile, Line: 1, Column: 1, Severity: casbinrules.SeverityError, Code: "routes", Message: err.Error(),
			}}
		}
	}
	fsys, names := textFile{PolicyFile, in.Files[PolicyFile]}, []string{PolicyFile}
	lintOpts := make([]casbinrules.LintOption, len(opts))
	for i, o := range opts {
		lintOpts[i] = o
	}
	if l.routes != nil {
		lintOpts = append(lintOpts, casbinrules.WithRoutes(l.routes))
	}
	if l.findings, err = casbinrules.LintFS(fsys, m, names, lintOpts...); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(l.findings, isError) {
		a, err := casbinrules.OpenFS(fsys, m, names, opts...)
		if err != nil {
			return nil, err
		}
		l.authorizer = &ask.Policy{Authorizer: a}
	}
	l.findings = append(l.findings, problems...)
	return l, nil
}

func isError(f casbinrules.Finding) bool { return f.Severity == casbinrules.SeverityError }

// options are those of the library.
func (l *loaded) options(o *Options) ([]casbinrules.Option, error) {
	opts := []casbinrules.Option{casbinrules.WithLogger(slog.New(slog.DiscardHandler)), casbinrules.WithClaimsAsAttributes()}
	if o.AsCasbin {
		opts = append(opts, casbinrules.WithCasbinSemantics())
	}
	if o.AllowAnonymous {
		opts = append(opts, casbinrules.WithAnonymous())
	}
	if o.WithoutTokenRoles {
		opts = append(opts, casbinrules.WithoutTokenRoles())
	}
	if o.ObjectRoute {
		opts = append(opts, casbinrules.WithRouteAsObject())
	}
	if o.RolePrefix != "" {
		opts = append(opts, casbinrules.WithRolePrefix(o.RolePrefix))
	}
	for _, text := range o.Attributes {
		field, kind, err := casbinrules.ParseAttribute(text)
		if err != nil {
			return nil, err
		}
		if l.fields != nil && !slices.Contains(l.fields, field) {
			return nil, fmt.Errorf("type of attribute %s: %s", text, ask.NoAttribute(field, ask.Attributes(l.fields)))
		}
		l.types[field] = kind
		opts = append(opts, casbinrules.WithAttributeType(field, kind))
	}
	for _, text := range o.RolePatterns {
		kind, function, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("patterns in role links %s: write KIND=FUNCTION, such as g=keyMatch", text)
		}
		opts = append(opts, casbinrules.WithRolePatterns(kind, function))
	}
	for _, kind := range o.TenantPatterns {
		opts = append(opts, casbinrules.WithTenantPatterns(kind))
	}
	return opts, nil
}

// canonical puts a question as a gate would.
func (in *Input) canonical(q ask.Question) (ask.Question, string, error) {
	if in.Options.AsCasbin || in.Options.ObjectRoute {
		return q, "", nil
	}
	return ask.Canonical(q, false)
}
