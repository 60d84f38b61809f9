package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// app is the example on a socket.
type app struct {
	*httptest.Server
	t      *testing.T
	issuer *authServer
}

func start(t *testing.T) *app {
	t.Helper()
	a := &app{t: t}
	mux := http.NewServeMux()
	a.Server = httptest.NewServer(mux)
	t.Cleanup(a.Close)
	var err error
	if a.issuer, err = newAuthServer(a.URL + "/issuer"); err != nil {
		t.Fatal(err)
	}
	a.issuer.mount(mux)
	if err := mountMCP(mux, a.URL+"/mcp", a.issuer.issuer, a.issuer.keys); err != nil {
		t.Fatal(err)
	}
	return a
}

// token is one for a user and an audience, "" for this server.
func (a *app) token(user, audience, scope string, claims ...string) string {
	a.t.Helper()
	if audience == "" {
		audience = a.URL + "/mcp"
	}
	more := map[string]any{"scope": scope}
	for i := 0; i+1 < len(claims); i += 2 {
		more[claims[i]] = claims[i+1]
	}
	token, err := a.issuer.signer.For(audience).Token(user, time.Minute, more)
	if err != nil {
		a.t.Fatal(err)
	}
	return token
}

// reply is an answer with its challenge, if it has one.
type reply struct {
	status    int
	body      string
	challenge map[string]string
}

// send posts a message, with header lines "Name: value".
func (a *app) send(target, token, message string, header ...string) reply {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.URL+target, strings.NewReader(message))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := a.Client().Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	got := reply{resp.StatusCode, string(body), nil}
	for _, line := range resp.Header.Values("WWW-Authenticate") {
		cs, err := challenge.Parse(line)
		if err != nil || len(cs) != 1 || cs[0].Scheme() != "Bearer" || got.challenge != nil {
			a.t.Fatalf("challenge %q: %v", line, err)
		}
		got.challenge = map[string]string{}
		for _, p := range cs[0].Params() {
			got.challenge[p.Name] = p.Value
		}
	}
	return got
}

const (
	list = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	read = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"reports_list","arguments":{}}}`
	drop = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"reports_delete","arguments":{"id":"7"}}}`
)

// TestChallengeLeadsToTheIssuer: a 401 names the metadata and the scopes of a first
// token, and the metadata names this resource and its authorization server.
func TestChallengeLeadsToTheIssuer(t *testing.T) {
	a := start(t)
	got := a.send("/mcp", "", list)
	if got.status != 401 || got.challenge["error"] != "" || got.challenge["scope"] != readScope {
		t.Fatalf("%+v", got)
	}
	address := got.challenge["resource_metadata"]
	if address != a.URL+"/.well-known/oauth-protected-resource/mcp" {
		t.Errorf("metadata at %s", address)
	}
	resp, err := a.Client().Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var document struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
		Scopes   []string `json:"scopes_supported"`
		Methods  []string `json:"bearer_methods_supported"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	if document.Resource != a.URL+"/mcp" || !slices.Equal(document.Servers, []string{a.URL + "/issuer"}) ||
		!slices.Equal(document.Scopes, []string{readScope}) || !slices.Equal(document.Methods, []string{"header"}) {
		t.Errorf("%+v", document)
	}
}

// TestTokensForThisServerAlone: what was issued for another audience, by another
// issuer or for another use is 401, as is a token in the query.
func TestTokensForThisServerAlone(t *testing.T) {
	a := start(t)
	stranger, err := newAuthServer(a.URL + "/issuer")
	if err != nil {
		t.Fatal(err)
	}
	good := a.token("erin", "", readScope)
	forged, err := stranger.signer.For(a.URL+"/mcp").Token("erin", time.Minute, map[string]any{"scope": readScope})
	if err != nil {
		t.Fatal(err)
	}
	expired, err := a.issuer.signer.For(a.URL+"/mcp").Token("erin", -time.Hour, map[string]any{"scope": readScope})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"another server":      a.token("erin", "https://api.example", readScope),
		"the server's origin": a.token("erin", a.URL, readScope),
		"longer":              a.token("erin", a.URL+"/mcp/", readScope),
		"another key":         forged,
		"expired":             expired,
		"an ID token":         a.token("erin", "", readScope, "nonce", "n"),
		"no token":            "x",
	} {
		got := a.send("/mcp", token, list)
		if got.status != 401 || got.challenge["error"] != "invalid_token" || got.challenge["resource_metadata"] == "" || got.challenge["scope"] != readScope {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := a.send("/mcp?access_token="+good, "", list); got.status != 401 || got.challenge["error"] != "" {
		t.Errorf("in the query: %+v", got)
	}
	if got := a.send("/mcp", good, list); got.status != 200 {
		t.Errorf("good: %+v", got)
	}
}

// TestScopesPerOperation: a call that lacks a scope is 403 with all that it needs
// and where to get it; the tool has not run.
func TestScopesPerOperation(t *testing.T) {
	a := start(t)
	for _, tt := range []struct{ scope, message, needs string }{
		{"", read, readScope},
		{readScope, drop, writeScope},
		{"reports", drop, writeScope},
	} {
		got := a.send("/mcp", a.token("erin", "", tt.scope), tt.message)
		want := map[string]string{"realm": "mcp", "error": "insufficient_scope", "scope": tt.needs, "resource_metadata": a.URL + "/.well-known/oauth-protected-resource/mcp"}
		if got.status != 403 || len(got.challenge) != len(want) {
			t.Errorf("%q for %s: %+v", tt.scope, tt.message, got)
		}
		for name, value := range want {
			if got.challenge[name] != value {
				t.Errorf("%s: %q, want %q", name, got.challenge[name], value)
			}
		}
	}
	if got := a.send("/mcp", a.token("erin", "", writeScope), read); got.status != 200 || !strings.Contains(got.body, "7 8") {
		t.Errorf("the broader scope does not include the narrower one: %+v", got)
	}
	if got := a.send("/mcp", a.token("erin", "", readScope+" "+writeScope), drop); got.status != 200 || !strings.Contains(got.body, "erin has deleted report 7") {
		t.Errorf("with the scope: %+v", got)
	}
}

// TestPolicyOfTools: tools/list shows what the principal may call, and a call of
// anything else is 403 without a challenge or reaches no tool, however it is spelt.
func TestPolicyOfTools(t *testing.T) {
	a := start(t)
	all := readScope + " " + writeScope
	for user, tools := range map[string][]string{"erin": {"reports_delete", "reports_list"}, "vera": {"reports_list"}, "nobody": nil} {
		got := a.send("/mcp", a.token(user, "", all), list)
		for _, name := range []string{"reports_delete", "reports_list"} {
			if strings.Contains(got.body, name) != slices.Contains(tools, name) {
				t.Errorf("%s is shown %s", user, got.body)
			}
		}
	}
	vera := a.token("vera", "", all)
	if got := a.send("/mcp", vera, drop); got.status != 403 || got.challenge != nil {
		t.Errorf("%+v", got)
	}
	for _, message := range []string{
		"[" + drop + "]",
		strings.Replace(drop, `"method"`, `"method":"tools/list","method"`, 1),
		strings.Replace(drop, `"jsonrpc"`, `"Method":"tools/list","jsonrpc"`, 1),
		strings.Replace(drop, `"arguments"`, `"Name":"reports_list","arguments"`, 1),
		strings.Replace(drop, "reports_delete", `reports\u005fdelete`, 1),
		strings.Replace(drop, "reports_delete", "Reports_Delete", 1),
	} {
		if got := a.send("/mcp", vera, message); strings.Contains(got.body, "has deleted") {
			t.Errorf("%s: %+v", message, got)
		}
	}
	if got := a.send("/mcp", a.token("erin", "", readScope), read); !strings.Contains(got.body, "7 8") {
		t.Errorf("a report is gone: %+v", got)
	}
}

// TestSessionsAreNoAuthentication: each request needs a token, whatever session it
// names.
func TestSessionsAreNoAuthentication(t *testing.T) {
	a := start(t)
	first := a.send("/mcp", a.token("erin", "", readScope), `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`)
	if first.status != 200 {
		t.Fatalf("%+v", first)
	}
	for _, session := range []string{"x", "00000000-0000-0000-0000-000000000000"} {
		if got := a.send("/mcp", "", list, "Mcp-Session-Id: "+session); got.status != 401 {
			t.Errorf("%+v", got)
		}
	}
}

// TestToolsNeverSeeTheToken: what runs behind the gates has no token that it could
// pass on.
func TestToolsNeverSeeTheToken(t *testing.T) {
	var seen *http.Request
	s := &service{next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r })}
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(list))
	r.Header.Set("Authorization", "Bearer secret")
	s.ServeHTTP(httptest.NewRecorder(), r)
	body, err := io.ReadAll(seen.Body)
	if err != nil || string(body) != list || len(seen.Header["Authorization"]) != 0 {
		t.Errorf("%q, %v, %v", body, err, seen.Header)
	}
}

// TestOtherOrigins: a page of another site cannot use the server (transports,
// "Origin").
func TestOtherOrigins(t *testing.T) {
	a := start(t)
	token := a.token("erin", "", readScope)
	if got := a.send("/mcp", token, list, "Origin: https://evil.example"); got.status != 403 {
		t.Errorf("%+v", got)
	}
	if got := a.send("/mcp", token, list, "Origin: "+a.URL); got.status != 200 {
		t.Errorf("%+v", got)
	}
}

// carrying adds a token to each request.
type carrying struct{ token string }

func (c carrying) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+c.token)
	return http.DefaultTransport.RoundTrip(r)
}

// TestGoClient: the SDK's own client lists and calls.
func TestGoClient(t *testing.T) {
	a := start(t)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "v1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: a.URL + "/mcp", HTTPClient: &http.Client{Transport: carrying{a.token("vera", "", readScope)}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	tools, err := session.ListTools(t.Context(), nil)
	if err != nil || len(tools.Tools) != 1 || tools.Tools[0].Name != "reports_list" {
		t.Fatalf("%+v, %v", tools, err)
	}
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "reports_list", Arguments: map[string]any{}})
	if err != nil || len(result.Content) != 1 || result.Content[0].(*mcp.TextContent).Text != "7 8" {
		t.Errorf("%+v, %v", result, err)
	}
	if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "reports_delete", Arguments: map[string]any{"id": "7"}}); err == nil {
		t.Error("vera has deleted a report")
	}
}
