package starter

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// The names of files of an application.
const (
	Config      = "sallyport.yaml"
	Key         = "development.pem"
	JWKS        = "jwks.json"
	GitIgnore   = ".gitignore"
	IgnoreLines = "# The private key signs tokens of anybody: it stays on this machine.\n" + Key + "\n"
)

// prefix is the prefix of all module paths.
const prefix = "github.com/sallyport-go/sallyport/"

// adapters maps frameworks to their adapter modules.
var adapters = map[string]string{
	"gin": "ginauth", "fiber": "fiberauth", "fiber3": "fiberauth/fiberv3", "echo": "echoauth", "echo5": "echoauth/echov5", "nethttp": "core",
}

// Frameworks are the supported frameworks.
var Frameworks = []string{"gin", "fiber", "fiber3", "echo", "echo5", "nethttp"}

// App describes an application to generate.
type App struct {
	Framework string // one of Frameworks
	Preset    string // of the policy
	Module    string // module path
	Version   string // of this project's modules; "" lets go mod tidy choose
	// Replaced maps module paths of this project to directories that replace the released
	// modules in go.mod.
	Replaced map[string]string
}

// Files returns the files of the application, except its keys.
func (a App) Files() ([]File, error) {
	text, err := files.ReadFile(path.Join("app", a.Framework+".go.tmpl"))
	if err != nil {
		return nil, err
	}
	return []File{{"main.go", string(text)}, {Config, a.config()}, {"go.mod", a.goMod()}}, nil
}

func (a App) config() string {
	claims := ""
	if strings.HasPrefix(a.Preset, "rbac-tenants") {
		claims = "  claims:\n    tenant: tenant\n"
	}
	return `# What the two gates are made of. An editor that knows JSON schemas completes and
# checks this file: see docs/configuration.md.
realm: reports

# Gate one: access tokens. "sallyport token erin" signs one with the development
# key, which is good for callers on this machine only.
bearer:
  issuer: http://localhost:8080
  audience: reports
  jwks: ` + JWKS + "\n" + claims + `
# Gate two: who may do what.
policy:
  model: model.conf
  files: policy.csv
`
}

// goMod returns a go.mod. It leaves out what go mod tidy adds.
func (a App) goMod() string {
	var b strings.Builder
	fmt.Fprintf(&b, "module %s\n\ngo 1.26.0\n", a.Module)
	if a.Version != "" {
		b.WriteString("\nrequire (\n")
		for _, name := range slices.Sorted(slices.Values([]string{"casbinrules/setup", adapters[a.Framework]})) {
			fmt.Fprintf(&b, "\t%s%s %s\n", prefix, name, a.Version)
		}
		b.WriteString(")\n")
	}
	if len(a.Replaced) > 0 {
		b.WriteString("\nreplace (\n")
		var lines []string
		for module, dir := range a.Replaced {
			lines = append(lines, fmt.Sprintf("\t%s => %s\n", module, dir))
		}
		slices.Sort(lines)
		b.WriteString(strings.Join(lines, "") + ")\n")
	}
	return b.String()
}
