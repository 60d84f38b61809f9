package cli

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
)

// The default names of the files of a policy.
const (
	modelName  = "model.conf"
	policyName = "policy.csv"
)

// presets are the models that need no file.
var presets = starter.Presets

const presetNames = "rbac, rbac-deny, rbac-tenants, rbac-tenants-patterns"

// source is a policy according to the command line.
type source struct {
	ask.Options
	model    string
	policies []string
	given    string     // how they were given, if not with -p
	config   string     // the configuration file that names them, "" if there is none
	text     string     // its content
	at       string     // time by which role links are judged, "" for that of clock
	clock    *ask.Clock // nil for the present time
}

// pathFlags adds the flags that say how to read the path of a request.
func (s *source) pathFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.EncodedSlashes, "encoded-slashes", false, "the guard lets encoded slashes in path parameters through")
}

// canonical reads the object of a question as a gate reads paths. Casbin takes the
// text literally, and so does a policy with routes as objects.
func (s *source) canonical(q ask.Question) (ask.Question, string, error) {
	if s.AsCasbin || s.ObjectRoute {
		return q, "", nil
	}
	return ask.Canonical(q, s.EncodedSlashes)
}

// modelFlags adds the flags that say how to read a policy.
func (s *source) modelFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&s.model, "model", "m", "", "model `file`, or a preset: "+presetNames+" (default model.conf beside the policy)")
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

// flags also adds the flags that say where a policy is, and before a run [source.settle].
func (s *source) flags(cmd *cobra.Command) {
	s.policyFlags(cmd)
	s.configFlag(cmd, defaultConfig)
	command.BeforeRun(cmd, func() error { return s.settle("") })
}

// policyFlags adds the flags that say which files a policy is, and how to read it.
func (s *source) policyFlags(cmd *cobra.Command) {
	s.modelFlags(cmd)
	cmd.Flags().StringArrayVarP(&s.policies, "policy", "p", nil, "policy `file`, directory of .csv files, or YAML file with a policy in it, such as a ConfigMap (FILE or FILE#KEY); may be repeated (default policy.csv)")
	_ = cmd.MarkFlagFilename("policy", "csv", "yaml", "yml")
}

// options returns the options for the library. Findings are reported by the lint command.
func (s *source) options() ([]casbinrules.Option, error) {
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
	} else if s.clock != nil {
		opts = append(opts, casbinrules.WithClock(s.clock.Now))
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

// find determines the files in question. Without -p they are the policy in dir.
func (s *source) find(dir string) (casbinrules.Model, []string, error) {
	policies := slices.Clone(s.policies)
	if len(policies) == 0 {
		policies = []string{filepath.Join(dir, policyName)}
	}
	for _, p := range policies {
		if _, err := os.Stat(plainPath(p)); errors.Is(err, fs.ErrNotExist) {
			hint := "say which with -p, or write one with \"sallyport init\""
			if len(s.policies) > 0 {
				hint = "check " + cmp.Or(s.given, "the path given with -p")
			}
			return casbinrules.Model{}, nil, fmt.Errorf("there is no policy %s: %s", p, hint)
		}
	}
	m, err := s.findModel(policies[0])
	return m, policies, err
}

func (s *source) findModel(policy string) (casbinrules.Model, error) {
	if preset := presets[s.model]; preset != nil {
		return preset(), nil
	}
	if s.model != "" {
		if _, err := os.Stat(s.model); errors.Is(err, fs.ErrNotExist) {
			return casbinrules.Model{}, fmt.Errorf("there is no model %s: give -m a file, or one of %s", s.model, presetNames)
		}
		return casbinrules.ModelFile(s.model), nil
	}
	name := filepath.Join(folderOf(policy), modelName)
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return casbinrules.Model{}, fmt.Errorf("there is no %s beside the policy: say with -m which model file it is for, or one of %s", name, presetNames)
	}
	return casbinrules.ModelFile(name), nil
}

// open loads the policy, by default the one in dir.
func (s *source) open(dir string) (*ask.Policy, error) {
	m, policies, err := s.find(dir)
	if err != nil {
		return nil, err
	}
	if err := s.checkAttributes(m); err != nil {
		return nil, err
	}
	return s.load(m, policies)
}

func (s *source) load(m casbinrules.Model, policies []string) (*ask.Policy, error) {
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	files, keys := splitManifests(policies)
	if keys == nil {
		return s.policy(casbinrules.Open(m, files, opts...))
	}
	return s.openManifests(&manifests{base: hostFiles{}, keys: keys}, m, files, opts)
}

// setClock gives a settable clock to everything opened from now on, unless the
// flags specify a time.
func (s *source) setClock() {
	if s.at == "" {
		s.clock = &ask.Clock{}
	}
}

// policy returns what was loaded, with the default role of the flags.
func (s *source) policy(a *casbinrules.Authorizer, err error) (*ask.Policy, error) {
	if err != nil {
		return nil, err
	}
	return &ask.Policy{Authorizer: a, Default: s.DefaultRole}, nil
}
