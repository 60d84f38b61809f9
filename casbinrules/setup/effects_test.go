package setup

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/httpauth"
)

// TestKeysChangeAnswers: each key makes a difference to a request that is the same
// without it.
func TestKeysChangeAnswers(t *testing.T) {
	t.Parallel()
	page := []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	mallory := append(bearerOf(token(t, "mallory", nil)), page...)
	ann := bearerOf(token(t, "ann", map[string]any{"roles": []string{"editor"}}))
	foreign := append(basicOf("erin", "erin-pass"), "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site")
	issuer := introspecting(t)
	byIntrospection := "realm: reports\nbearer:\n  introspection: {endpoint: " + issuer + ", client: reports, secret: {file: names.key}, any_audience: true}\npolicy: {model: model.conf, files: own.csv}\n"
	type result struct {
		status int
		body   string // a part of it
	}
	for name, c := range map[string]struct {
		text, keys string // the file without the keys, and they
		method     string
		path       string
		fields     []string
		without    result
		with       result
	}{
		"contact":         {minimal, "answers: {contact: {text: the office, link: 'mailto:office@example.org'}}\n", "GET", "/reports", mallory, result{403, ""}, result{403, "mailto:office@example.org"}},
		"style":           {minimal, "answers: {style: own.css}\n", "GET", "/reports", mallory, result{403, ""}, result{403, "rebeccapurple"}},
		"request_id":      {minimal, "answers: {formats: json, request_id: X-Correlation-Id}\n", "GET", "/reports", []string{"X-Correlation-Id", "c-17"}, result{401, ""}, result{401, "c-17"}},
		"trusted_origins": {strings.Replace(htpasswdOnly, "policy.csv", "own.csv", 1), "browsers: {trusted_origins: 'https://app.example'}\n", "POST", "/reports", foreign, result{403, ""}, result{200, ""}},
		"encoded_slashes": {strings.Replace(minimal, "policy.csv", "own.csv", 1), "requests: {encoded_slashes: true}\n", "GET", "/reports/a%2Fb", bearerOf(token(t, "erin", nil)), result{400, ""}, result{200, ""}},
		"role_prefix":     {strings.Replace(minimal, "policy.csv", "own.csv", 1), "  role_prefix: 'role:'\n", "GET", "/reports", ann, result{403, ""}, result{200, ""}},
		"introspection":   {byIntrospection, "", "POST", "/reports", bearerOf("opaque"), result{200, ""}, result{200, ""}},
		"not active":      {byIntrospection, "", "POST", "/reports", bearerOf("revoked"), result{401, ""}, result{401, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for text, want := range map[string]result{c.text: c.without, c.text + c.keys: c.with} {
				path := configFile(t, text)
				write(t, filepath.Join(filepath.Dir(path), "own.css"), "body { color: rebeccapurple }\n")
				write(t, filepath.Join(filepath.Dir(path), "own.csv"), "p, erin, /reports, POST, allow\np, erin, /reports/:id, GET, allow\np, role:editor, /reports, GET, allow\n")
				mux, gate := http.NewServeMux(), httpauth.Authorize(openPath(t, path).Guard())
				done := gate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
				mux.Handle("/reports", done)
				mux.Handle("/reports/{id}", done)
				r := httptest.NewRequest(c.method, c.path, nil)
				for i := 0; i < len(c.fields); i += 2 {
					r.Header.Set(c.fields[i], c.fields[i+1])
				}
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, r)
				body, err := io.ReadAll(w.Result().Body)
				if err != nil || w.Code != want.status || !strings.Contains(string(body), want.body) {
					t.Errorf("%s\n%d %s, want %d with %q", text, w.Code, body, want.status, want.body)
				}
				if want.body == "" && c.with.body != "" && strings.Contains(string(body), c.with.body) {
					t.Errorf("%q is there without the key", c.with.body)
				}
			}
		})
	}
}

// introspecting is an issuer that says of one token that it is erin's.
func introspecting(t *testing.T) string {
	t.Helper()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := `{"active":false}`
		if r.PostFormValue("token") == "opaque" {
			answer = `{"active":true,"sub":"erin"}`
		}
		_, _ = io.WriteString(w, answer) // the client has gone
	}))
	t.Cleanup(issuer.Close)
	return issuer.URL
}
