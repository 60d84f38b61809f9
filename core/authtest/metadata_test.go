package authtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/metadata"
	"github.com/sallyport-go/sallyport/core/rule"
)

var metadataCases = []testCase{
	{"B17 the document of the resource is public", metadataDocument},
	{"B17 it stands beside the path of the resource", metadataPath},
	{"B17 every challenge names it, whatever Host says", metadataNamed},
}

// metadataApp is an app that serves a resource's document outside its gates, and a door
// behind them.
func metadataApp(t *testing.T, f Framework, resource string) (d *door, document *metadata.Document) {
	t.Helper()
	document, err := metadata.New(resource, metadata.WithAuthorizationServers(issuer), metadata.WithScopes("read"))
	if err != nil {
		t.Fatal(err)
	}
	g, _ := guardOf(t, []core.Authenticator{bearerOn(t, tokens{}, bearer.WithResourceMetadata(document.URL()))})
	d = &door{t: t}
	d.addr = f.Start(t, App{Routes: []Route{
		d.route(Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.Scope("read")}}),
		{Methods: []string{"GET", "HEAD"}, Pattern: document.Path(), Endpoint: document.Endpoint()},
	}})
	return d, document
}

// metadataDocument: RFC 9728 §3.2.
func metadataDocument(t *testing.T, f Framework) {
	d, _ := metadataApp(t, f, "https://api.example")
	const path = "/.well-known/oauth-protected-resource"
	want := map[string]any{
		"resource": "https://api.example", "authorization_servers": []any{issuer},
		"scopes_supported": []any{"read"}, "bearer_methods_supported": []any{"header"},
	}
	for _, header := range []string{"Accept: */*", "Authorization: Bearer expired", "Host: attacker.example", "X-Forwarded-Host: attacker.example"} {
		request := Request("GET", path, header)
		if header == "Host: attacker.example" {
			request = "GET " + path + " HTTP/1.1\n" + header
		}
		a := Send(t, d.addr, request)
		var got map[string]any
		if err := json.Unmarshal([]byte(a.Body), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q (%v)", header, a.Body, err)
		}
		if types := a.Header.Values("Content-Type"); a.Status != http.StatusOK || !slices.Equal(types, []string{"application/json"}) {
			t.Errorf("%s: %d %q", header, a.Status, types)
		}
		if got := a.Header.Values("Cache-Control"); !slices.Equal(got, []string{"public, max-age=3600"}) {
			t.Errorf("%s: Cache-Control %q", header, got)
		}
		if len(a.Header.Values("WWW-Authenticate")) != 0 {
			t.Errorf("%s: challenges on a public document", header)
		}
	}
	a := Send(t, d.addr, Request("HEAD", path))
	if a.Status != http.StatusOK || a.Body != "" {
		t.Errorf("HEAD: %d %q", a.Status, a.Body)
	}
}

// metadataPath: RFC 9728 §3.1.
func metadataPath(t *testing.T, f Framework) {
	d, _ := metadataApp(t, f, "https://api.example/tenant/v1")
	a := Send(t, d.addr, Request("GET", "/.well-known/oauth-protected-resource/tenant/v1"))
	var got struct{ Resource string }
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || a.Status != http.StatusOK || got.Resource != "https://api.example/tenant/v1" {
		t.Errorf("%d %q", a.Status, a.Body)
	}
	if a := Send(t, d.addr, Request("GET", "/.well-known/oauth-protected-resource")); a.Status != http.StatusNotFound {
		t.Errorf("the document of another resource: %d", a.Status)
	}
}

// metadataNamed: RFC 9728 §5.1.
func metadataNamed(t *testing.T, f Framework) {
	d, document := metadataApp(t, f, "https://api.example/v1")
	last := `, resource_metadata="` + document.URL() + `"`
	for header, want := range map[string]string{
		"Accept: */*":                          `Bearer realm="r"`,
		"X-Forwarded-Host: attacker.example":   `Bearer realm="r"`,
		"Forwarded: host=attacker.example":     `Bearer realm="r"`,
		"Authorization: Bearer early":          `Bearer realm="r", error="invalid_token"`,
		"Authorization: Bearer bob":            `Bearer realm="r", error="insufficient_scope", scope="read"`,
		"Authorization: B a\nAuthorization: C": `Bearer realm="r", error="invalid_request"`,
	} {
		challenged(t, header, d.get(header), want+last)
	}
	a := Send(t, d.addr, "GET /door HTTP/1.1\nHost: attacker.example")
	challenged(t, "another Host", a, `Bearer realm="r"`+last)
	if got := slices.Collect(maps.Keys(d.get("Authorization: Bearer bob.read").Header)); slices.Contains(got, "Www-Authenticate") {
		t.Errorf("a challenge on success: %v", got)
	}
}
