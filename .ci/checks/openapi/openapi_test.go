package openapi

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/checks/internal/npm"
)

// The configuration has every scheme whose files a test can make at once.
const config = `realm: reports
bearer: {issuer: "https://idp.example", audience: reports, jwks: jwks.json, cookie: __Host-token}
dpop: {address: "https://api.example"}
api_keys: {file: api.keys}
client_certificates: {identity: common_name}
session: {cookie: sid}
policy: {model: rbac, files: policy.csv, anonymous: true}
answers: {formats: [problem, json]}
attempts:
  address: {failures: 10, per: 1m, burst: 20}
`

const routes = `[
	{"method": "GET", "pattern": "/healthz"},
	{"method": "GET", "pattern": "/reports/:id"},
	{"method": "ANY", "pattern": "/files/*"},
	{"method": "DELETE", "pattern": "/v1/{owner}/{rest...}"}
]`

// Files that hold something already, in both versions and both spellings.
var existing = map[string]string{
	"new.yaml":      "",
	"existing.yaml": "# Ours.\nopenapi: 3.1.0\ninfo: {title: Reports, version: \"1.10\"}\nwebhooks:\n  changed:\n    post: {responses: {\"204\": {description: seen}}}\npaths:\n  /reports/{number}:\n    parameters:\n    - {name: number, in: path, required: true, schema: {type: [string, \"null\"]}}\n    get:\n      responses: {\"200\": {description: a report}}\n",
	"existing.json": `{"openapi": "3.1.1", "info": {"title": "Reports \ud83d\ude00", "version": "1"}, "paths": {}, "x-limit": 1e3}`,
}

func TestAPublicParserTakesTheFile(t *testing.T) {
	scripts := npm.Install(t, "validate.mjs")
	dir := t.TempDir()
	run(t, dir, "go", "build", "-o", filepath.Join(dir, "sallyport"), "github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport")
	for name, text := range map[string]string{"sallyport.yaml": config, "routes.json": routes, "policy.csv": "p, editor, /reports/:id, GET\n"} {
		write(t, filepath.Join(dir, name), text)
	}
	run(t, dir, "./sallyport", "keys", "new")
	run(t, dir, "./sallyport", "apikey", "new", "-f", "api.keys", "--owner", "ci")
	for name, text := range existing {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name)
			if text != "" {
				write(t, file, text)
			}
			run(t, dir, "./sallyport", "openapi", "--public", "/healthz", "-o", name)
			out := run(t, scripts, "node", "validate.mjs", file)
			if !strings.Contains(out, "valid: OpenAPI 3.1") {
				t.Error(out)
			}
		})
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a program in dir, but go in this module, and returns its output.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(5*time.Minute))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	if program != "go" {
		cmd.Dir = dir
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}
