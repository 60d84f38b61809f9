package authclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authclient"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/metadata"
)

func TestK07FindsTheMatchingChallenge(t *testing.T) {
	const line = "\nWWW-Authenticate: "
	for _, c := range []struct {
		name, lines string
		fits        bool
	}{
		{"alone", line + `Bearer realm="x", error="invalid_token"`, true},
		{"without a code", line + `Bearer realm="x"`, true},
		{"scheme alone", line + `Bearer`, true},
		{"another letter case", line + `BEARER REALM="x", Error="invalid_token"`, true},
		{"several lines", line + `Basic realm="x"` + line + `Bearer realm="x", error="invalid_token"`, true},
		{"joined lines", line + `Basic realm="x", Bearer realm="x", error="invalid_token"`, true},
		{"unknown schemes first", line + `Newauth a="b", c=d, Hoba x=1, Bearer error=invalid_token`, true},
		{"token68 first", line + `Negotiate YWJj==, Bearer realm="x"`, true},
		{"empty members", line + `, ,Basic realm="x",, Bearer realm="x",,`, true},
		{"quoted commas", line + `Basic realm="a, Digest b", Bearer realm="c, d"`, true},
		{"a list that goes on in the next line", line + `Bearer realm="x"` + line + `error="invalid_token"`, true},
		{"the error stands in the second of two", line + `Bearer realm="x"` + line + `Bearer realm="y", error="invalid_request"`, false},
		{"quoted Bearer is none", line + `Basic realm="x, Bearer y=z"`, false},
		{"only others", line + `Basic realm="x", Digest realm="x"`, false},
		{"one letter more", line + `xBearer realm="x"`, false},
		{"broken behind it", line + `Bearer realm="x", Basic realm="y`, false},
		{"none", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tokens := &issuer{}
			s := serve(t, &script{answers: []string{"401" + c.lines, "200"}})
			want := 401
			if c.fits {
				want = 200
			}
			if status, _ := do(t, clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL}), "GET", s.URL, ""); status != want {
				t.Errorf("status %d, want %d", status, want)
			}
		})
	}
}

func TestK07ChallengesOnAnyRefusal(t *testing.T) {
	for _, status := range []int{401, 403, 429, 503} {
		w := httptest.NewRecorder()
		w.Header().Add("WWW-Authenticate", `Newauth, Bearer error="insufficient_scope", scope=" a  b "`)
		w.Header().Add("WWW-Authenticate", `Basic realm="x, y"`)
		w.WriteHeader(status)
		var challenges int
		switch err := authclient.Check(w.Result()).(type) {
		case *authclient.UnauthorizedError:
			challenges = len(err.Challenges)
		case *authclient.ForbiddenError:
			challenges = len(err.Challenges)
			equal(t, "scopes", err.Scopes, []string{"a", "b"})
		case *authclient.UnavailableError:
			challenges = len(err.Challenges)
		}
		if challenges != 3 {
			t.Errorf("%d: %d challenges", status, challenges)
		}
	}
}

func TestK07MetadataURL(t *testing.T) {
	for field, want := range map[string]string{
		`Basic realm="x", Bearer resource_metadata="https://api.example/.well-known/x"`: "https://api.example/.well-known/x",
		`DPoP resource_metadata="https://a.example/1", Bearer`:                          "https://a.example/1",
		`Bearer resource_metadata="http://api.example/x"`:                               "",
		`Bearer resource_metadata="https:///x"`:                                         "",
		`Bearer resource_metadata="https://u:p@api.example/x"`:                          "",
		`Bearer resource_metadata="/x"`:                                                 "",
		`Bearer resource_metadata="https://api.example/%zz"`:                            "",
		`Bearer realm="x"`: "",
	} {
		resp := &http.Response{StatusCode: 401, Header: http.Header{"Www-Authenticate": {field}}, Body: http.NoBody}
		var e *authclient.UnauthorizedError
		if err := authclient.Check(resp); !errors.As(err, &e) || e.MetadataURL() != want {
			t.Errorf("%s: %q", field, e.MetadataURL())
		}
	}
}

func TestK07MetadataMustNameTheResource(t *testing.T) {
	const resource = "https://api.example/v1"
	document, err := metadata.New(resource, metadata.WithAuthorizationServers("https://issuer.example"), metadata.WithScopes("read"))
	if err != nil {
		t.Fatal(err)
	}
	body := func(contentType, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write([]byte(text))
		}
	}
	const ours = `{"resource":"https://api.example/v1"}`
	for _, c := range []struct {
		name, resource string
		handler        http.Handler
		says           string // "" when it is used
	}{
		{"ours", resource, httpauth.Serve(document.Endpoint()), ""},
		{"with a charset", resource, body("application/json; charset=utf-8", ours), ""},
		{"for another path", resource + "/", httpauth.Serve(document.Endpoint()), "is for"},
		{"for nothing", "", body("application/json", `{}`), "is for"},
		{"two names for one member", resource, body("application/json", `{"resource":"https://api.example/v1","Resource":"https://evil.example"}`), "is for"},
		{"no JSON", resource, body("application/json", "<html>"), "not a metadata"},
		{"another type", resource, body("text/html", ours), "not application/json"},
		{"too long", resource, body("application/json", ours+strings.Repeat(" ", 64<<10)), "longer"},
		{"not found", resource, http.NotFoundHandler(), "404"},
		{"elsewhere", resource, http.RedirectHandler("https://127.0.0.1:1/", http.StatusFound), "302"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewTLSServer(c.handler)
			defer s.Close()
			got, err := authclient.FetchMetadata(t.Context(), s.Client(), s.URL+document.Path(), c.resource)
			switch {
			case c.says == "" && (err != nil || got.Resource != resource):
				t.Errorf("%+v, %v", got, err)
			case c.says != "" && (err == nil || got != nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	plain := httptest.NewServer(body("application/json", ours))
	defer plain.Close()
	for _, address := range []string{plain.URL, "https://127.0.0.1:1/closed", "::"} {
		if _, err := authclient.FetchMetadata(context.Background(), nil, address, resource); err == nil {
			t.Errorf("%s: no error", address)
		}
	}
}

func TestCheckLeavesOtherAnswersAlone(t *testing.T) {
	for _, status := range []int{200, 204, 302, 400, 404, 407, 409, 500, 502} {
		body := &closeCounter{Reader: strings.NewReader("text")}
		resp := &http.Response{StatusCode: status, Header: http.Header{"Www-Authenticate": {"Bearer error=\"invalid_token\""}}, Body: body}
		if err := authclient.Check(resp); err != nil || body.closed > 0 {
			t.Errorf("%d: %v, closed %d times", status, err, body.closed)
		}
	}
}

func TestCheckReadsTheRefusal(t *testing.T) {
	long := `{"title":"` + strings.Repeat("x", 64<<10) + `"}`
	for _, c := range []struct {
		name, contentType, body string
		want                    string
	}{
		{"a problem", "application/problem+json", `{"type":"about:blank","title":"Forbidden","status":200,"detail":"Upgrade.","error":"plan_too_small"}`,
			`403 Forbidden ("plan_too_small"): "Upgrade."`},
		{"plain JSON", "application/json; charset=utf-8", `{"error":"forbidden","message":"No."}`, `403 Forbidden ("forbidden"): "No."`},
		{"title alone", "application/problem+json", `{"title":"Forbidden"}`, `403 Forbidden: "Forbidden"`},
		{"members of the wrong type", "application/problem+json", `{"title":["x"],"detail":7,"error":null}`, `403 Forbidden`},
		{"what would forge a log line", "application/json", `{"error":"a\nb","detail":"\u001b[31m"}`, `403 Forbidden ("a\nb"): "\x1b[31m"`},
		{"HTML", "text/html", `{"error":"x"}`, `403 Forbidden`},
		{"no type", "", `{"error":"x"}`, `403 Forbidden`},
		{"no object", "application/json", `["error"]`, `403 Forbidden`},
		{"cut off", "application/json", `{"error":"x"`, `403 Forbidden`},
		{"longer than anyone reads", "application/json", long, `403 Forbidden`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := &closeCounter{Reader: strings.NewReader(c.body)}
			err := authclient.Check(&http.Response{StatusCode: 403, Header: http.Header{"Content-Type": {c.contentType}}, Body: body})
			if err == nil || err.Error() != c.want || body.closed != 1 {
				t.Errorf("%v; closed %d times", err, body.closed)
			}
		})
	}
}

func TestUnavailableError(t *testing.T) {
	for after, want := range map[string]float64{"120": 120, "soon": -1e-9, "": -1e-9, "99999999999999999999": 9223372036.854775807} {
		resp := &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {after}}, Body: http.NoBody}
		var e *authclient.UnavailableError
		if err := authclient.Check(resp); !errors.As(err, &e) || e.RetryAfter.Seconds() != want {
			t.Errorf("%q: %v", after, e.RetryAfter)
		}
	}
}

func TestCodesMatchTheGuard(t *testing.T) {
	tokens := &issuer{}
	s := serveGuarded(t, bearerGuard(t, tokens))
	for path, code := range map[string]string{"/admin": core.CodeForbidden, "/scoped": core.CodeInsufficientScope} {
		resp, err := clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL}).Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		var e *authclient.ForbiddenError
		if !errors.As(authclient.Check(resp), &e) || e.Problem.Code != code || e.Problem.Type != "about:blank" || len(e.Problem.Members) < 3 {
			t.Errorf("%s: %+v", path, e)
		}
	}
}
