package metadata_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/metadata"
)

func document(t testing.TB, resource string, opts ...metadata.Option) *metadata.Document {
	t.Helper()
	d, err := metadata.New(resource, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ask(d *metadata.Document, method string) core.Response {
	r := httptest.NewRequest(method, "http://attacker.example/", nil)
	return d.Endpoint()(context.Background(), httpauth.Request(r))
}

func field(r core.Response, name string) string {
	var all []string
	for _, f := range r.Fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return strings.Join(all, "|")
}

// B17: RFC 9728 §2 and §3.2.
func TestDocument(t *testing.T) {
	d := document(t, "https://api.example/v1",
		metadata.WithAuthorizationServers("https://issuer.example/realm", "https://other.example"),
		metadata.WithScopes("reports:read", "reports:write"), metadata.WithDPoP("ES256", "EdDSA"), metadata.WithDPoPRequired(),
		metadata.WithKeys("https://api.example/jwks.json", "ES256"), metadata.WithName("Reports"), metadata.WithDocumentation("https://docs.example/a?b"),
		metadata.WithPolicy("https://docs.example/policy"), metadata.WithTermsOfService("https://docs.example/tos"), metadata.WithCacheMaxAge(90*time.Second))
	r := ask(d, http.MethodGet)
	want := map[string]any{
		"resource":                              "https://api.example/v1",
		"authorization_servers":                 []any{"https://issuer.example/realm", "https://other.example"},
		"scopes_supported":                      []any{"reports:read", "reports:write"},
		"bearer_methods_supported":              []any{"header"},
		"dpop_signing_alg_values_supported":     []any{"ES256", "EdDSA"},
		"dpop_bound_access_tokens_required":     true,
		"jwks_uri":                              "https://api.example/jwks.json",
		"resource_signing_alg_values_supported": []any{"ES256"},
		"resource_name":                         "Reports",
		"resource_documentation":                "https://docs.example/a?b",
		"resource_policy_uri":                   "https://docs.example/policy",
		"resource_tos_uri":                      "https://docs.example/tos",
	}
	var got map[string]any
	if err := json.Unmarshal(r.Body, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s (%v)", r.Body, err)
	}
	if r.Status != 200 || field(r, "Content-Type") != "application/json" || field(r, "Cache-Control") != "public, max-age=90" {
		t.Errorf("%d %v", r.Status, r.Fields)
	}
	if d.Path() != "/.well-known/oauth-protected-resource/v1" || d.URL() != "https://api.example"+d.Path() {
		t.Errorf("at %s, %s", d.Path(), d.URL())
	}
}

func TestWhatIsNotSetIsLeftOut(t *testing.T) { // RFC 9728 §3.2
	r := ask(document(t, "https://api.example"), http.MethodHead)
	if got := string(r.Body); got != `{"resource":"https://api.example","bearer_methods_supported":["header"]}`+"\n" {
		t.Error(got)
	}
	if field(r, "Cache-Control") != "public, max-age=3600" || field(r, "Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", r.Fields)
	}
}

func TestOtherMethods(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "get"} {
		if r := ask(document(t, "https://api.example"), method); r.Status != 405 || field(r, "Allow") != "GET, HEAD" || len(r.Body) != 0 {
			t.Errorf("%s: %d %v %s", method, r.Status, r.Fields, r.Body)
		}
	}
}

func TestPath(t *testing.T) { // RFC 9728 §3.1
	for resource, want := range map[string]string{
		"https://api.example":           "/.well-known/oauth-protected-resource",
		"https://api.example/":          "/.well-known/oauth-protected-resource",
		"https://api.example:8443":      "/.well-known/oauth-protected-resource",
		"https://api.example/resource1": "/.well-known/oauth-protected-resource/resource1",
		"https://api.example/a/b/":      "/.well-known/oauth-protected-resource/a/b/",
		"https://api.example/a.b/~c_d-": "/.well-known/oauth-protected-resource/a.b/~c_d-",
	} {
		d := document(t, resource)
		origin, _, _ := strings.Cut(strings.TrimPrefix(resource, "https://"), "/")
		if d.Path() != want || d.URL() != "https://"+origin+want {
			t.Errorf("%s: %s, %s, want %s", resource, d.Path(), d.URL(), want)
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) { // B17, invariant 14
	for _, resource := range []string{
		"", "api.example", "/v1", "//api.example", "http://api.example", "HTTPS://api.example", "https://", "https:///v1", "https://:8443/",
		"https://api.example#x", "https://api.example/#", "https://user@api.example", "https://API.example", "https://api.example:443",
		"https://api.example:/", "https://api.example/?x=1", "https://api.example/a//b", "https://api.example//", "https://api.example//a",
		"https://api.example/a//", "https://api.example/a/../b", "https://api.example/.", "https://api.example/:id", "https://api.example/*",
		"https://api.example/{id}", "https://api.example/%41", "https://api.example/a b", "https://\u00e4.example", "https://api.example/\n",
	} {
		if d, err := metadata.New(resource); err == nil || !strings.HasPrefix(err.Error(), "metadata: ") {
			t.Errorf("%q: %v, %v", resource, d, err)
		}
	}
	for name, opt := range map[string]metadata.Option{
		"nil":                     nil,
		"no server":               metadata.WithAuthorizationServers(),
		"a server on http":        metadata.WithAuthorizationServers("http://issuer.example"),
		"a server with query":     metadata.WithAuthorizationServers("https://issuer.example?x"),
		"a server with fragment":  metadata.WithAuthorizationServers("https://issuer.example#x"),
		"a server twice":          metadata.WithAuthorizationServers("https://issuer.example", "https://issuer.example"),
		"no scope":                metadata.WithScopes(),
		"two scopes in one":       metadata.WithScopes("a b"),
		"an empty scope":          metadata.WithScopes(""),
		"no algorithm":            metadata.WithDPoP(),
		"algorithm none":          metadata.WithDPoP("none"),
		"an algorithm of secrets": metadata.WithDPoP("HS256"),
		"WithDPoPRequired alone":  metadata.WithDPoPRequired(),
		"keys on http":            metadata.WithKeys("http://api.example/jwks.json"),
		"keys signing with none":  metadata.WithKeys("https://api.example/jwks.json", "none"),
		"an algorithm twice":      metadata.WithKeys("https://api.example/jwks.json", "ES256", "ES256"),
		"no name":                 metadata.WithName(""),
		"a name with a control":   metadata.WithName("a\nb"),
		"a relative page":         metadata.WithDocumentation("/docs"),
		"a policy with a quote":   metadata.WithPolicy(`https://docs.example/"`),
		"terms on http":           metadata.WithTermsOfService("http://docs.example"),
		"a negative age":          metadata.WithCacheMaxAge(-time.Second),
		"half a second":           metadata.WithCacheMaxAge(500 * time.Millisecond),
		"a year":                  metadata.WithCacheMaxAge(365 * 24 * time.Hour),
	} {
		if d, err := metadata.New("https://api.example", opt); err == nil || !strings.HasPrefix(err.Error(), "metadata: ") {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	twice := metadata.WithScopes("a")
	if _, err := metadata.New("https://api.example", twice, twice); err == nil {
		t.Error("scopes were set twice")
	}
}

func TestDocumentKeepsNothingOfItsArguments(t *testing.T) {
	scopes := []string{"read"}
	option := metadata.WithScopes(scopes...)
	d := document(t, "https://api.example", option)
	scopes[0] = "written"
	if r := ask(d, "GET"); !strings.Contains(string(r.Body), `"read"`) {
		t.Error(string(r.Body))
	}
}

// For development: this machine shows nothing to anybody on the way.
func TestLoopbackOverHTTP(t *testing.T) {
	for resource, want := range map[string]string{
		"http://localhost:8080":        "http://localhost:8080/.well-known/oauth-protected-resource",
		"http://127.0.0.1:8080/v1":     "http://127.0.0.1:8080/.well-known/oauth-protected-resource/v1",
		"http://[::1]:8080/":           "http://[::1]:8080/.well-known/oauth-protected-resource",
		"http://api.example":           "",
		"http://localhost.example":     "",
		"http://10.0.0.1:8080":         "",
		"http://localhost:80":          "",
		"http://u:SECRET@localhost/v1": "",
		"http://localhost/v1?k=SECRET": "",
	} {
		d, err := metadata.New(resource, metadata.WithAuthorizationServers("http://127.0.0.1:9000/realm"), metadata.WithKeys("http://localhost:8080/keys"))
		switch {
		case want == "" && (err == nil || strings.Contains(err.Error(), "SECRET")):
			t.Errorf("%s: %v", resource, err)
		case want != "" && (err != nil || d.URL() != want):
			t.Errorf("%s: %v", resource, err)
		}
	}
	for name, opt := range map[string]metadata.Option{
		"issuer": metadata.WithAuthorizationServers("http://issuer.example"), "keys": metadata.WithKeys("http://api.example/keys"),
		"policy": metadata.WithPolicy("http://api.example/policy"),
	} {
		if _, err := metadata.New("http://localhost:8080", opt); err == nil {
			t.Errorf("%s over http on another host was accepted", name)
		}
	}
}

func TestOptionsGivenTwice(t *testing.T) {
	for name, opts := range map[string][]metadata.Option{
		"name":   {metadata.WithName("a"), metadata.WithName("b")},
		"policy": {metadata.WithPolicy("https://a.example"), metadata.WithPolicy("https://b.example")},
		"keys":   {metadata.WithKeys("https://a.example"), metadata.WithKeys("https://b.example")},
		"age":    {metadata.WithCacheMaxAge(0), metadata.WithCacheMaxAge(time.Second)},
	} {
		if _, err := metadata.New("https://api.example", opts...); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
