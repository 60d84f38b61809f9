package authtest

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// vault is an app whose policy allows alice everything that is not secret. It records the
// requests that reach its handlers.
type vault struct {
	addr string
	rec  *Recorder

	mu      sync.Mutex
	reached []reached
}

// reached is a request that reached a handler.
type reached struct{ route, param string }

// secret is the policy's deny rule.
func secret(path string) bool {
	for _, dir := range []string{"/files/secret", "/static/secret", "/nested/secret", "/admin"} {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}

func newVault(t testing.TB, f Framework) *vault {
	v := &vault{}
	policy := AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
		return core.Decision{Allowed: !secret(a.Resource.Path), Rule: "deny secret"}, nil
	})
	var g *core.Guard
	g, v.rec = guard(t, core.WithAuthorizer(policy))
	gate := []Gate{{Kind: "Authorize", Guard: g}}
	keep := func(route, param string) Handler {
		return func(x Exchange) error {
			value := ""
			if param != "" {
				value = strings.Clone(x.Param(param))
			}
			v.mu.Lock()
			v.reached = append(v.reached, reached{route, value})
			v.mu.Unlock()
			return ok(x)
		}
	}
	get := []string{"GET", "HEAD"}
	v.addr = f.Start(t, App{Trees: []Tree{
		{Prefix: "/static", Gates: gate, Dir: secretFolder(t)},
		{Prefix: "/nested", Gates: gate, Handler: http.HandlerFunc(nested)},
	}, Routes: []Route{
		{Pattern: "/admin", Methods: get, Gates: gate, Handler: keep("/admin", "")},
		{Pattern: "/admin/:id", Gates: gate, Handler: keep("/admin/:id", "id")},
		{Group: "/things", Pattern: "/:id", Methods: get, GroupGates: gate, Handler: keep("/things/:id", "id")},
		{Group: "/files", Pattern: "/*", GroupGates: gate, Handler: keep("/files/*", "*")},
	}})
	return v
}

// secretText is part of answers that reveal what is secret below a [Tree].
const secretText = "the secret of the tree"

// secretFolder returns a folder with a secret file.
func secretFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"secret/x.txt": secretText, "public.txt": "public"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// nested is a handler that does its own routing, after stripping its prefix.
func nested(w http.ResponseWriter, r *http.Request) {
	rest := strings.TrimLeft(r.URL.Path[min(len("/nested"), len(r.URL.Path)):], "/")
	text := "public"
	if first, _, _ := strings.Cut(rest, "/"); first == "secret" {
		text = secretText
	}
	_, _ = io.WriteString(w, text)
}

// take returns the requests recorded so far and clears them.
func (v *vault) take() []reached {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.reached
	v.reached = nil
	return r
}

// leak returns what is wrong with this request having reached a handler, or "". resource is
// what the policy was asked about. Frameworks differ in whether parameters are decoded; a
// handler that needs to, decodes once.
func (r reached) leak(resource string) string {
	path := r.serve(r.param)
	if path != resource {
		value, err := url.PathUnescape(r.param)
		if err != nil {
			return "the handler cannot decode its parameter"
		}
		path = r.serve(value)
	}
	switch {
	case path != resource:
		return "policy judged " + resource + ", the handler serves " + path
	case secret(path), strings.Contains(path, "/../"), strings.HasSuffix(path, "/.."):
		return "the handler serves " + path
	}
	return ""
}

// serve returns the path that the handler of r's route makes from a parameter.
func (r reached) serve(param string) string {
	path := strings.NewReplacer(":id", param, "*", param).Replace(r.route) // a parameter may contain a star
	return strings.TrimSuffix(path, "/")
}
