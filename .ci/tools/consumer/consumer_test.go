package main

import (
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

func TestViolationsNameWhatDoesNotBelong(t *testing.T) {
	const core, jwt = modules.Prefix + "core", "github.com/golang-jwt/jwt/v5"
	const gin, fiber, casbin = "github.com/gin-gonic/gin", "github.com/gofiber/fiber/v2", "github.com/casbin/casbin/v2"
	const casbin3 = "github.com/casbin/casbin/v3"
	const fiber3, fasthttp = "github.com/gofiber/fiber/v3", "github.com/valyala/fasthttp"
	for _, tt := range []struct {
		module string
		graph  []string
		want   []string
	}{
		{"core", []string{core}, nil},
		{"core", []string{core, jwt}, []string{jwt}},
		{"core/htpasswd", []string{core, "golang.org/x/crypto"}, nil},
		{"core/htpasswd", []string{core, gin}, []string{gin}},
		{"core/watch", []string{core, "github.com/redis/go-redis/v9"}, []string{"github.com/redis/go-redis/v9"}},
		{"casbinrules", []string{core, casbin, "github.com/jackc/pgx/v5"}, []string{"github.com/jackc/pgx/v5"}},
		{"core/source/postgres", []string{core, "github.com/jackc/pgx/v5"}, nil},
		{"ginauth", []string{core, gin, jwt}, nil},
		{"ginauth", []string{core, gin, fiber, casbin}, []string{fiber, casbin}},
		{"fiberauth", []string{core, fiber, fasthttp}, nil},
		{"fiberauth", []string{core, fiber3}, []string{fiber3}},
		{"fiberauth/fiberv3", []string{core, fiber3, fasthttp}, nil},
		{"fiberauth/fiberv3", []string{core, fiber}, []string{fiber}},
		{"fiberauth/fasthttpauth", []string{core, fiber, fasthttp}, []string{fiber}},
		{"echoauth", []string{core, "github.com/labstack/echo/v4", "github.com/valyala/fasttemplate"}, nil},
		{"echoauth", []string{core, "github.com/valyala/fasthttp"}, []string{"github.com/valyala/fasthttp"}},
		{"echoauth", []string{core, "github.com/labstack/echo/v5"}, []string{"github.com/labstack/echo/v5"}},
		{"echoauth/echov5", []string{core, "github.com/labstack/echo/v5"}, nil},
		{"echoauth/echov5", []string{core, "github.com/labstack/echo/v4", "github.com/labstack/gommon"}, []string{"github.com/labstack/echo/v4", "github.com/labstack/gommon"}},
		{"casbinrules", []string{core, casbin, gin}, []string{gin}},
		{"casbinrules", []string{core, casbin, casbin3}, []string{casbin3}},
		{"casbinrules/casbinv3", []string{core, casbin, casbin3}, nil},
		{"core/openid", []string{core, "github.com/coreos/go-oidc/v3"}, nil},
		{"core/telemetry", []string{core, "go.opentelemetry.io/otel"}, nil},
		{"casbinrules/setup", []string{core, casbin, "go.opentelemetry.io/otel/metric", "github.com/coreos/go-oidc/v3"}, []string{"go.opentelemetry.io/otel/metric", "github.com/coreos/go-oidc/v3"}},
		{"not/listed", []string{core, casbin}, []string{casbin}},
	} {
		if got := violations(tt.module, tt.graph); !slices.Equal(got, tt.want) {
			t.Errorf("violations(%q, %q) = %q, want %q", tt.module, tt.graph, got, tt.want)
		}
	}
}

func TestModulePathsReadListAndGraph(t *testing.T) {
	const output = `app.example/app
example.org/a v1.0.0
example.org/b/v2 v2.1.0
app.example/app example.org/a@v1.0.0
app.example/app go@1.26.0
go@1.26.0 toolchain@go1.26.0
example.org/a@v1.0.0 example.org/pruned@v0.3.0
`
	want := []string{"example.org/a", "example.org/b/v2", "example.org/pruned"}
	if got := modulePaths(output); !slices.Equal(got, want) {
		t.Errorf("modulePaths = %q, want %q", got, want)
	}
}
