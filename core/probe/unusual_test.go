package probe_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

func compressed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

// page is that of a single-page application: it is served for all paths, and a part of it
// is new each time.
func page(w http.ResponseWriter, r *http.Request) bool {
	path, err := json.Marshal(r.URL.Path)
	if err != nil {
		return false
	}
	return answer(w, 200, fmt.Sprintf("<title>App</title><script nonce=%s7>start(%s)</script><a href=%q>again</a>", rand.Text(), path, r.URL.EscapedPath()), "Content-Type", "text/html")
}

// TestUnusualAnswersThatAreRight: services that are correct in unusual ways.
func TestUnusualAnswersThatAreRight(t *testing.T) {
	listed := func(r *http.Request) bool {
		return slices.Contains([]string{"/health", "/reports", "/reports/1", "/admin"}, r.RequestURI)
	}
	for name, spoil := range map[string]func(*site){
		"a page for all other paths, with a nonce": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			path, _, _ := strings.Cut(r.RequestURI, "?")
			return !slices.Contains([]string{"/health", "/reports", "/reports/1", "/admin"}, path) && page(w, r)
		}),
		"a page for all other paths, without a length for HEAD": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			path, _, _ := strings.Cut(r.RequestURI, "?")
			if r.Method == "HEAD" {
				w.Header().Set("Content-Type", "text/html")
				w.(http.Flusher).Flush()
				return true
			}
			return !slices.Contains([]string{"/health", "/reports", "/reports/1", "/admin"}, path) && page(w, r)
		}),
		"languages": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			if rest, ok := strings.CutPrefix(r.URL.Path, "/en"); ok {
				r.URL.Path = rest
				return false
			}
			return listed(r) && answer(w, 302, "", "Location", "/en"+r.URL.Path)
		}),
		"https only": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return answer(w, 308, "", "Location", "https://"+r.Host+r.RequestURI)
		}),
		"trailing slashes": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/") {
				return answer(w, 301, "", "Location", r.URL.Path+"/")
			}
			r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
			return false
		}),
		"compressed, unasked": func(s *site) {
			s.words = nil
			wrong(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/admin" || user(r) != "root-secret" {
					return false
				}
				return answer(w, 200, compressed("/admin\n"), "Content-Encoding", "gzip")
			})(s)
		},
		"closed connections": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Connection", "close")
			return false
		}),
		"pieces": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			if !anonymous(r) || r.URL.Path != "/admin" {
				return false
			}
			answer(w, 401, "sign ")
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "in\n")
			return true
		}),
		"large bodies": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/reports" && user(r) != "" && strings.HasSuffix(user(r), "-secret") && answer(w, 200, strings.Repeat("numbers ", 100_000))
		}),
		"not implemented": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/admin" && user(r) == "root-secret" && answer(w, 501, "not yet")
		}),
		"words of denial in a list": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/reports" && strings.HasSuffix(user(r), "-secret") && answer(w, 200, `[{"event": "access denied", "status": 403}]`)
		}),
		"words of denial in an object": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/reports" && strings.HasSuffix(user(r), "-secret") && answer(w, 200, `{"title": "Forbidden City", "events": [{"message": "access denied"}]}`)
		}),
		"a step-up in the words of every 401": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/admin" && user(r) == "root-secret" &&
				answer(w, 401, "sign in, please\n", "WWW-Authenticate", `Bearer realm="api", error="insufficient_user_authentication", max_age="5"`)
		}),
		"CORS for a public route alone": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/health" && answer(w, 200, "", "Access-Control-Allow-Origin", "*")
		}),
		"CORS for a page of one site": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Access-Control-Allow-Origin", "https://own.example")
			return false
		}),
		"a page of denial for people": func(s *site) {
			wrong(func(w http.ResponseWriter, r *http.Request) bool {
				return r.URL.Path == "/admin" && user(r) == "erin-secret" &&
					answer(w, 403, `<style>[role=alert]{color:red}</style><main role="main"><h1>No</h1><script src="/node_modules/x.js"></script></main>`, "Content-Type", "text/html")
			})(s)
		},
		"a refusal with more to say": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			if user(r) != "erin-secret" || r.URL.Path == "/reports" || r.URL.Path == "/health" || r.URL.Path != "/admin" && r.URL.Path != "/reports/1" {
				return false
			}
			if r.URL.Path == "/admin" {
				return answer(w, 403, `{"code": "plan", "upgrade": "/plans"}`, "Content-Type", "application/json")
			}
			return answer(w, 403, `{"code": "no"}`, "Content-Type", "application/json")
		}),
		"a scope that is named in public": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/admin" && user(r) == "erin-secret" &&
				answer(w, 403, "it requires reports:read scope", "WWW-Authenticate", `Bearer realm="api", error="insufficient_scope", scope="reports:read"`)
		}),
		"an application for browsers": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path != "/health" && browser(r) && page(w, r)
		}),
		"a form to sign in for browsers": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/admin" && anonymous(r) && browser(r) && answer(w, 302, "", "Location", "/login?next=/admin")
		}),
		"OPTIONS with a description": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method == "OPTIONS" && answer(w, 200, `{"methods": ["GET"], "about": "reports"}`)
		}),
		"the word for a role in an advice": func(s *site) { s.words[403] = "You may not do this. Please contact your admin.\n" },
		"a public login that wants a password": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/login" && answer(w, 401, "sign in, please\n")
		}),
		"a limit for everything": func(s *site) {
			var n atomic.Int64
			wrong(func(w http.ResponseWriter, _ *http.Request) bool {
				return n.Add(1)%7 == 0 && answer(w, 429, "slow down", "Retry-After", "0")
			})(s)
		},
		"a page about sitemaps": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/health" && answer(w, 200, `<pre>&lt;urlset</pre><a href="https://other.example/admin">x</a><!-- <urlset> -->`, "Content-Type", "text/html")
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := right()
			spoil(s)
			set := settings()
			switch name {
			case "a refusal with more to say":
				set.Expect = nil
			case "a public login that wants a password":
				set.Routes = append(set.Routes, probe.Route{Method: "POST", Pattern: "/login", Public: true, Write: true})
			case "the word for a role in an advice":
				set.Words = []string{"admin", "editor"}
			case "words of denial in a list", "words of denial in an object":
				set.Expect = nil // nothing says that the content is right
			}
			if r := run(t, s, set); len(r.Findings) > 0 {
				t.Errorf("found %+v", r.Findings)
			}
		})
	}
}

// TestOtherCredentials: a route may accept only credentials of another scheme than an
// identity has.
func TestOtherCredentials(t *testing.T) {
	s := right()
	s.wrong = func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && answer(w, 401, "who?\n", "WWW-Authenticate", `Basic realm="metrics"`)
	}
	set := settings()
	set.Expect = nil
	r := run(t, s, set)
	if slices.Contains(codes(r), probe.FaultSignedInUnauthorized) || !slices.ContainsFunc(r.Notes, func(n string) bool {
		return strings.Contains(n, "GET /admin as erin was not evaluated: it accepts only credentials of another scheme")
	}) {
		t.Errorf("found %q, notes %q", codes(r), r.Notes)
	}
}

// TestStreams: an answer that may not end is evaluated by its head, long before the
// timeout.
func TestStreams(t *testing.T) {
	s := right()
	s.wrong = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/reports" || !strings.HasSuffix(user(r), "-secret") {
			return false
		}
		answer(w, 200, "data: 1\n\n", "Content-Type", "text/event-stream; charset=utf-8")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
	if r := run(t, s, settings()); len(r.Findings) > 0 {
		t.Errorf("found %+v", r.Findings)
	}
}

// TestSessionsAreNotEnded: a sign-out route is not requested with the credentials that all
// other requests need.
func TestSessionsAreNotEnded(t *testing.T) {
	var over atomic.Bool
	s := right()
	s.wrong = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.TrimRight(strings.ToLower(r.URL.Path), "/") == "/logout" && !anonymous(r) && user(r) == "erin-secret" {
			over.Store(true)
		}
		if r.URL.Path == "/logout" {
			return answer(w, 401, "sign in, please\n")
		}
		return over.Load() && user(r) == "erin-secret" && r.URL.Path == "/reports" && answer(w, 401, "sign in, please\n")
	}
	set := settings()
	set.Routes = append([]probe.Route{{Method: "GET", Pattern: "/logout"}, {Method: "POST", Pattern: "/logout", Write: true}, {Method: "DELETE", Pattern: "/session", Write: true}}, set.Routes...)
	r := run(t, s, set)
	if over.Load() || len(r.Findings) > 0 {
		t.Errorf("the session was ended: %t; found %+v", over.Load(), r.Findings)
	}
	if !slices.ContainsFunc(r.Notes, func(n string) bool {
		return strings.HasPrefix(n, "POST /logout was requested without credentials only")
	}) {
		t.Errorf("notes %q", r.Notes)
	}
}

// TestBadCredentialsInOtherPlaces: malformed values and forgeries are also sent in places
// other than bearer tokens.
func TestBadCredentialsInOtherPlaces(t *testing.T) {
	const forged = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJlcmluIn0.c2lnbmF0dXJl"
	for _, c := range []struct{ as, field, value, code string }{
		{"malformed token", "X-API-Key", "erin-secret", probe.FaultBadCredentialsStatus},
		{"malformed token", "Cookie", "theme=dark; session=erin-secret", probe.FaultBadCredentialsStatus},
		{"malformed token", "Authorization", "Token erin-secret", probe.FaultBadCredentialsStatus},
		{"unsigned token", "Cookie", "session=" + forged + "; theme=dark", probe.FaultBadCredentialsAccepted},
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			value := r.Header.Get(c.field)
			switch {
			case r.URL.Path != "/reports":
				http.NotFound(w, r)
			case value == c.value, strings.Contains(value, "eyJ") && c.code == probe.FaultBadCredentialsAccepted && !strings.HasPrefix(value, "Bearer"):
				answer(w, 200, "here")
			case strings.Contains(value, "not-a-token") && !strings.HasPrefix(value, "Bearer"):
				answer(w, 403, "no")
			default:
				answer(w, 401, "who?")
			}
		})
		r := run(t, h, probe.Settings{
			Routes:     []probe.Route{{Method: "GET", Pattern: "/reports"}},
			Identities: []probe.Identity{{Name: "erin", Header: []core.Field{{Name: c.field, Value: c.value}}}},
		})
		if !slices.ContainsFunc(r.Findings, func(f probe.Finding) bool { return f.Code == c.code && f.As == c.as }) {
			t.Errorf("%s: %s: no %s as %s in %+v", c.field, c.value, c.code, c.as, r.Findings)
		}
	}
}
