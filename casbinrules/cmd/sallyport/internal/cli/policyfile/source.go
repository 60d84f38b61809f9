// Package policyfile opens the policy that a command is about: as flags, a configuration
// file or a revision in git say, in files of Casbin or in YAML, with the tests and the
// routes that belong to it. It does not judge what it opens.
package policyfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
	"github.com/sallyport-go/sallyport/core"
)

// The default names of the files of a policy.
const (
	ModelName  = "model.conf"
	PolicyName = "policy.csv"
)

// PresetNames are the names of [starter.Presets], as text.
const PresetNames = "rbac, rbac-deny, rbac-tenants, rbac-tenants-patterns"

// Source is a policy according to the command line.
type Source struct {
	ask.Options
	Model    string
	Policies []string
	given    string     // how they were given, if not with -p
	Config   string     // the configuration file that names them, "" if there is none
	Text     string     // its content
	at       string     // time by which role links are judged, "" for that of clock
	Clock    *ask.Clock // nil for the present time
}

// PathFlags adds the flags that say how to read the path of a request.
func (s *Source) PathFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.EncodedSlashes, "encoded-slashes", false, "the guard lets encoded slashes in path parameters through")
}

// Canonical reads the object of a question as a gate reads paths. Casbin takes the
// text literally, and so does a policy with routes as objects.
func (s *Source) Canonical(q ask.Question) (ask.Question, string, error) {
	if s.AsCasbin || s.ObjectRoute {
		return q, "", nil
	}
	return ask.Canonical(q, s.EncodedSlashes)
}

// ModelFlags adds the flags that say how to read a policy.
func (s *Source) ModelFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&s.Model, "model", "m", "", "model `file`, or a preset: "+PresetNames+" (default model.conf beside the policy)")
	f.BoolVar(&s.AsCasbin, "as-casbin", false, "accept what Casbin accepts, with Casbin's meaning")
	f.BoolVar(&s.AllowAnonymous, "allow-anonymous", false, "decide requests without credentials as the subject anonymous")
	f.BoolVar(&s.AllowEmpty, "allow-empty", false, "accept a policy without a p line")
	f.BoolVar(&s.WithoutTokenRoles, "without-token-roles", false, "count the policy's own role links only")
	f.BoolVar(&s.ObjectRoute, "object-route", false, "the policy sees routes as registered in place of paths")
	f.StringVar(&s.RolePrefix, "role-prefix", "", "`prefix` of role names in the policy")
	f.StringVar(&s.DefaultRole, "default-role", "", "`role` that everybody with credentials has")
	f.StringVar(&s.at, "at", "", "`time` by which role links with a start and an end are judged, in UTC, such as \"2026-12-31 18:00:00\" (default now)")
	f.Var(attributeFlag{&s.Options}, "attribute", "type of a request field, as `field=type`: number, time, date, ip or text (default text); may be repeated")
	f.StringArrayVar(&s.Function, "function", nil, "`name=builtin`: a function that the matcher calls is "+strings.Join(casbinrules.AliasableFunctions(), ", ")+"; may be repeated")
	f.StringArrayVar(&s.RolePatterns, "role-patterns", nil, "`kind=function`: names in these role links are patterns, such as g=keyMatch; may be repeated")
	f.StringArrayVar(&s.TenantPatterns, "tenant-patterns", nil, "`kind` of role links, such as g, in which tenants are patterns; may be repeated")
	_ = cmd.MarkFlagFilename("model", "conf") // fails for unknown flags only
}

// Flags also adds the flags that say where a policy is, and before a run [Source.Settle].
func (s *Source) Flags(cmd *cobra.Command) {
	s.PolicyFlags(cmd)
	s.ConfigFlag(cmd, DefaultConfig)
	command.BeforeRun(cmd, func() error { return s.Settle("") })
}

// PolicyFlags adds the flags that say which files a policy is, and how to read it.
func (s *Source) PolicyFlags(cmd *cobra.Command) {
	s.ModelFlags(cmd)
	cmd.Flags().StringArrayVarP(&s.Policies, "policy", "p", nil, "policy `file`, directory of .csv files, or YAML file with a policy in it, such as a ConfigMap (FILE or FILE#KEY); may be repeated (default policy.csv)")
	_ = cmd.MarkFlagFilename("policy", "csv", "yaml", "yml")
}

// LoadOptions returns the options for the library. Findings are reported by the lint command.
func (s *Source) LoadOptions() ([]casbinrules.Option, error) {
	opts, err := s.Library()
	if err != nil {
		return nil, command.Usage(err)
	}
	if s.at != "" {
		at, err := time.Parse(time.DateTime, s.at)
		if err != nil {
			return nil, command.Usagef("--at %s: write a time in UTC, as in \"2026-12-31 18:00:00\"", s.at)
		}
		opts = append(opts, casbinrules.WithClock(func() time.Time { return at }))
	} else if s.Clock != nil {
		opts = append(opts, casbinrules.WithClock(s.Clock.Now))
	}
	return opts, nil
}

// attributeFlag is the flag --attribute, which may be repeated.
type attributeFlag struct{ *ask.Options }

// Set implements pflag.Value. It adds to the values of earlier flags.
func (f attributeFlag) Set(value string) error { return f.AddAttribute(value) }

// String implements pflag.Value. It returns "" for the default, which help omits.
func (f attributeFlag) String() string {
	if f.Options == nil {
		return "" // pflag asks the zero value
	}
	return strings.Join(f.Attribute, " ")
}

// Type implements pflag.Value.
func (f attributeFlag) Type() string { return "field=type" }

// Find determines the files in question. Without -p they are the policy in dir.
func (s *Source) Find(dir string) (casbinrules.Model, []string, error) {
	policies := slices.Clone(s.Policies)
	if len(policies) == 0 {
		policies = []string{filepath.Join(dir, PolicyName)}
	}
	for _, p := range policies {
		if _, err := os.Stat(PlainPath(p)); errors.Is(err, fs.ErrNotExist) {
			hint := "say which with -p, or write one with \"sallyport init\""
			if len(s.Policies) > 0 {
				hint = "check " + cmp.Or(s.given, "the path given with -p")
			}
			return casbinrules.Model{}, nil, fmt.Errorf("there is no policy %s: %s", p, hint)
		}
	}
	m, err := s.findModel(policies[0])
	return m, policies, err
}

func (s *Source) findModel(policy string) (casbinrules.Model, error) {
	if preset := starter.Presets[s.Model]; preset != nil {
		return preset(), nil
	}
	if s.Model != "" {
		if _, err := os.Stat(s.Model); errors.Is(err, fs.ErrNotExist) {
			return casbinrules.Model{}, fmt.Errorf("there is no model %s: give -m a file, or one of %s", s.Model, PresetNames)
		}
		return casbinrules.ModelFile(s.Model), nil
	}
	name := filepath.Join(FolderOf(policy), ModelName)
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return casbinrules.Model{}, fmt.Errorf("there is no %s beside the policy: say with -m which model file it is for, or one of %s", name, PresetNames)
	}
	return casbinrules.ModelFile(name), nil
}

// Open loads the policy, by default the one in dir.
func (s *Source) Open(dir string) (*ask.Policy, error) {
	m, policies, err := s.Find(dir)
	if err != nil {
		return nil, err
	}
	if err := s.CheckAttributes(m); err != nil {
		return nil, err
	}
	return s.Load(m, policies)
}

// Load loads what Find has found.
func (s *Source) Load(m casbinrules.Model, policies []string) (*ask.Policy, error) {
	opts, err := s.LoadOptions()
	if err != nil {
		return nil, err
	}
	files, keys := SplitManifests(policies)
	if keys == nil {
		return s.Loaded(casbinrules.Open(m, files, opts...))
	}
	return s.openManifests(&manifests{base: hostFiles{}, keys: keys}, m, files, opts)
}

// SetClock gives a settable clock to everything opened from now on, unless the
// flags specify a time.
func (s *Source) SetClock() {
	if s.at == "" {
		s.Clock = &ask.Clock{}
	}
}

// Loaded returns what was loaded, with the default role of the flags.
func (s *Source) Loaded(a *casbinrules.Authorizer, err error) (*ask.Policy, error) {
	if err != nil {
		return nil, err
	}
	return &ask.Policy{Authorizer: a, Default: s.DefaultRole}, nil
}

// ConfigName is the file that setup.Open reads.
const ConfigName = "sallyport.yaml"

// Who returns w with what the flags say about subjects.
func (s *Source) Who(w ask.Who) ask.Who {
	w.Prefix, w.NoTokenRoles, w.Anonymous = s.RolePrefix, s.WithoutTokenRoles, s.AllowAnonymous
	return w
}

// Lint leaves routes that a pattern of public matches out of the comparison.
func (s *Source) Lint(routesFile string, public []string) ([]casbinrules.Finding, error) {
	m, policies, err := s.Find("")
	if err != nil {
		return nil, err
	}
	if err := s.CheckAttributes(m); err != nil {
		return nil, err
	}
	options, err := s.LoadOptions()
	if err != nil {
		return nil, err
	}
	opts := ask.LintOptions(options)
	if routesFile != "" {
		routes, err := ReadRoutes(routesFile)
		if err != nil {
			return nil, err
		}
		routes = slices.DeleteFunc(routes, func(r core.RouteInfo) bool { return IsPublic(public, r.Method, r.Pattern) })
		opts = append(opts, casbinrules.WithRoutes(routes))
	}
	if files, keys := SplitManifests(policies); keys != nil {
		return casbinrules.LintFS(&manifests{base: hostFiles{}, keys: keys}, m, files, opts...)
	}
	return casbinrules.Lint(m, policies, opts...)
}
