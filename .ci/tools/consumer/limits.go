package main

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

// watched are the libraries that must stay where they belong, each with the
// module paths it starts with.
var watched = map[string][]string{
	"gin":      {"github.com/gin-gonic", "github.com/gin-contrib"},
	"fiber":    {"github.com/gofiber/fiber/v2"},
	"fiber3":   {"github.com/gofiber/fiber/v3", "github.com/gofiber/utils", "github.com/gofiber/schema"},
	"fasthttp": {"github.com/valyala/fasthttp"},
	"echo":     {"github.com/labstack/echo/v4", "github.com/labstack/gommon"},
	"echo5":    {"github.com/labstack/echo/v5"},
	"casbin":   {"github.com/casbin/casbin/v2", "github.com/casbin/govaluate"},
	"casbin3":  {"github.com/casbin/casbin/v3"},
	"redis":    {"github.com/redis", "github.com/alexedwards/scs/goredisstore"},
	"postgres": {"github.com/jackc"},
	"otel":     {"go.opentelemetry.io"},
	"oidc":     {"github.com/coreos/go-oidc"},
}

// belongs says which watched libraries a module may bring along; a module that
// is not listed none.
var belongs = map[string][]string{
	"ginauth":     {"gin"},
	"fiberauth":   {"fiber", "fasthttp"},
	"echoauth":    {"echo"},
	"casbinrules": {"casbin"},

	"echoauth/echov5": {"echo5"},

	"casbinrules/setup":           {"casbin"},
	"casbinrules/setup/oidc":      {"casbin", "oidc"},
	"core/openid":                 {"oidc"},
	"core/telemetry":              {"otel"},
	"casbinrules/setup/redis":     {"casbin", "redis"},
	"casbinrules/setup/postgres":  {"casbin", "postgres"},
	"core/source/postgres":        {"postgres"},
	"core/source/redis":           {"redis"},
	"fiberauth/fasthttpauth":      {"fasthttp"},
	"fiberauth/fiberv3":           {"fiber3", "fasthttp"},
	"casbinrules/casbinv3":        {"casbin", "casbin3"},
	"casbinrules/cmd/sallyport":   {"casbin", "redis", "postgres", "otel", "oidc"},
	"casbinrules/setup/telemetry": {"casbin", "otel"},
}

// violations lists what the graph of an app on the named module must not hold:
// watched libraries that do not belong there and, for core, everything but
// itself.
func violations(name string, graph []string) []string {
	var found []string
	for _, path := range graph {
		if name == "core" && path != modules.Prefix+"core" {
			found = append(found, path)
			continue
		}
		for library, starts := range watched {
			if !slices.Contains(belongs[name], library) && slices.ContainsFunc(starts, func(start string) bool {
				return path == start || strings.HasPrefix(path, start+"/")
			}) {
				found = append(found, path)
			}
		}
	}
	return found
}

// modulePaths finds the module paths in the output of go list -m all and of go
// mod graph, sorted and once each. The app itself, which has no version, is
// not among them, nor are the Go toolchain's own pseudo modules.
func modulePaths(output string) []string {
	var paths []string
	lines := strings.Split(output, "\n")
	for _, line := range lines {
		// One module a line as "path version", or an edge as "path@version path@version".
		fields := strings.Fields(line)
		if len(fields) == 2 && !strings.Contains(line, "@") {
			fields = fields[:1]
		}
		for _, field := range fields {
			path, _, _ := strings.Cut(field, "@")
			if path != "app.example/app" && path != "go" && path != "toolchain" {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
