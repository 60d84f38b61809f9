package probe_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

func user(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func answer(w http.ResponseWriter, status int, body string, fields ...string) bool {
	w.Header().Set("Cache-Control", "no-store")
	if status == 401 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
	}
	for i := 0; i < len(fields); i += 2 {
		w.Header().Set(fields[i], fields[i+1])
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
	return true
}

// open lets matching requests pass without any check.
func open(matches func(r *http.Request) bool) func(*site) {
	return wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return matches(r) && answer(w, 200, "the secret numbers")
	})
}

func wrong(f func(w http.ResponseWriter, r *http.Request) bool) func(*site) {
	return func(s *site) { s.wrong = f }
}

func browser(r *http.Request) bool { return strings.HasPrefix(r.Header.Get("Accept"), "text/html") }

func anonymous(r *http.Request) bool { return r.Header.Get("Authorization") == "" }

// faults are services with one fault each, and the code of its finding.
var faults = []struct {
	name, code, method, path, as string
	spoil                        func(*site)
}{
	{"anonymous gets 403", probe.FaultAnonymousForbidden, "GET", "/admin", "anonymous", func(s *site) { s.anonymous = 403 }},
	{"anonymous gets 400", probe.FaultAnonymousStatus, "GET", "/admin", "anonymous", func(s *site) { s.anonymous = 400 }},
	{"anonymous gets 500", probe.FaultServerError, "GET", "/admin", "anonymous", func(s *site) { s.anonymous = 500 }},
	{"no check at all", probe.FaultOpenRoute, "GET", "/admin", "anonymous", open(func(r *http.Request) bool { return r.URL.Path == "/admin" })},
	{"signed in gets 401", probe.FaultSignedInUnauthorized, "GET", "/admin", "erin", func(s *site) { s.other = 401 }},
	{"no role check", probe.FaultAllowedThoughDenied, "GET", "/admin", "erin", func(s *site) { s.other = 200 }},
	{"refused with 400", probe.FaultForbiddenStatus, "GET", "/admin", "erin", func(s *site) { s.other = 400 }},
	{"refused for no reason", probe.FaultRefusedThoughAllowed, "GET", "/reports", "erin", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/reports" && !anonymous(r) && answer(w, 403, "no")
	})},
	{"no challenge", probe.FaultChallengeMissing, "GET", "/admin", "anonymous", func(s *site) { s.challenge = "" }},
	{"an empty challenge", probe.FaultChallengeMissing, "GET", "/admin", "anonymous", func(s *site) { s.challenge = " " }},
	{"an unquoted realm with a space", probe.FaultChallengeMalformed, "GET", "/admin", "anonymous", func(s *site) { s.challenge = "Bearer realm=my api" }},
	{"an open quote", probe.FaultChallengeMalformed, "GET", "/admin", "anonymous", func(s *site) { s.challenge = `Bearer realm="api` }},
	{"Basic without realm", probe.FaultChallengeMalformed, "GET", "/admin", "anonymous", func(s *site) { s.challenge = `Basic` }},
	{"a challenge on 403", probe.FaultChallengeOn403, "GET", "/admin", "erin", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && user(r) == "erin-secret" && answer(w, 403, "no", "WWW-Authenticate", `Bearer realm="api"`)
	})},
	{"one body for both", probe.FaultSameDenial, "GET", "/admin", "erin", func(s *site) { s.words = map[int]string{401: "denied ", 403: "denied "} }},
	{"a denied page with 200", probe.FaultSoftDenial, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && anonymous(r) && answer(w, 200, "<h1>Access denied</h1>")
	})},
	{"a denied page with 200 for somebody signed in", probe.FaultSoftDenial, "GET", "/admin", "erin", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && user(r) == "erin-secret" && answer(w, 200, `{"status":403}`)
	})},
	{"a redirect to a page to sign in", probe.FaultRedirectDenial, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/login" {
			return answer(w, 200, "Who are you?")
		}
		return r.URL.Path == "/admin" && anonymous(r) && answer(w, 302, "", "Location", "/login")
	})},
	{"a public route that is not", probe.FaultPublicRefused, "GET", "/health", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/health" && answer(w, 401, "")
	})},
	{"trailing slash", probe.FaultSpellingBypass, "GET", "/admin/", "anonymous", open(func(r *http.Request) bool { return r.URL.Path == "/admin/" })},
	{"letter case", probe.FaultSpellingBypass, "GET", "/ADMIN", "erin", open(func(r *http.Request) bool { return r.URL.Path == "/ADMIN" })},
	{"encoded letter", probe.FaultSpellingBypass, "GET", "/%61dmin", "anonymous", open(func(r *http.Request) bool { return r.RequestURI == "/%61dmin" })},
	{"encoded slash", probe.FaultSpellingBypass, "GET", "/reports%2F1", "anonymous", open(func(r *http.Request) bool { return r.RequestURI == "/reports%2F1" })},
	{"doubled slash", probe.FaultSpellingBypass, "GET", "//admin", "anonymous", open(func(r *http.Request) bool { return r.RequestURI == "//admin" })},
	{"inner slash doubled", probe.FaultSpellingBypass, "GET", "/reports//1", "anonymous", open(func(r *http.Request) bool { return r.RequestURI == "/reports//1" })},
	{"dot segments", probe.FaultSpellingBypass, "GET", "/x/../admin", "anonymous", open(func(r *http.Request) bool { return r.RequestURI == "/x/../admin" })},
	{"a gate for one spelling alone", probe.FaultSpellingBypass, "GET", "/admin/", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return anonymous(r) && r.RequestURI != "/admin" && !strings.HasPrefix(r.RequestURI, "/reports") && answer(w, 200, "/admin\n")
	})},
	{"HEAD", probe.FaultMethodBypass, "HEAD", "/admin", "anonymous", open(func(r *http.Request) bool { return r.Method == "HEAD" && r.URL.Path == "/admin" })},
	{"method override", probe.FaultMethodBypass, "GET", "/admin", "anonymous", open(func(r *http.Request) bool { return r.Header.Get("X-HTTP-Method-Override") != "" })},
	{"a malformed token is 400", probe.FaultBadCredentialsStatus, "GET", "/admin", "malformed token", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return user(r) == "not-a-token" && answer(w, 400, "bad token")
	})},
	{"a malformed token is 500", probe.FaultBadCredentialsStatus, "GET", "/admin", "malformed token", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return user(r) == "a.b.c" && answer(w, 500, "oops")
	})},
	{"a malformed token ends the connection", probe.FaultNoAnswer, "GET", "/admin", "malformed token", wrong(func(_ http.ResponseWriter, r *http.Request) bool {
		if user(r) == "a.b.c" {
			panic(http.ErrAbortHandler)
		}
		return false
	})},
	{"an unsigned token is accepted", probe.FaultBadCredentialsAccepted, "GET", "/admin", "unsigned token", open(func(r *http.Request) bool {
		return strings.Count(user(r), ".") == 2 && strings.HasSuffix(user(r), ".")
	})},
	{"a foreign token is 403", probe.FaultBadCredentialsStatus, "GET", "/admin", "foreign token", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return len(user(r)) > 50 && !strings.HasSuffix(user(r), ".") && answer(w, 403, "no")
	})},
	{"refusals may be kept", probe.FaultCacheableRefusal, "GET", "/admin", "anonymous", func(s *site) { s.control = "" }},
	{"refusals may be kept by browsers", probe.FaultCacheableRefusal, "GET", "/admin", "erin", func(s *site) { s.control = "private, max-age=60" }},
	{"a refusal from a cache", probe.FaultCachedDenial, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && anonymous(r) && answer(w, 401, "sign in", "Age", "7")
	})},
	{"the refusal of another from a cache", probe.FaultCachedDenial, "GET", "/reports", "erin", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/reports" && r.URL.RawQuery == "" && answer(w, 401, "sign in")
	})},
	{"a Go stack trace", probe.FaultStackTrace, "GET", "/admin", "malformed token", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return user(r) == "a.b.c" && answer(w, 500, "goroutine 12 [running]:\nmain.go:12")
	})},
	{"a Python stack trace", probe.FaultStackTrace, "GET", "/admin", "anonymous", func(s *site) { s.words[401] = "Traceback (most recent call last)\n" }},
	{"a role in the body", probe.FaultRuleInBody, "GET", "/admin", "erin", func(s *site) { s.words[403] = `requires role "root"` }},
	{"a policy line in the body", probe.FaultRuleInBody, "GET", "/admin", "erin", func(s *site) { s.words[403] = `no match: p, root, /admin, GET` }},
	{"an unknown user in the body", probe.FaultUserEnumeration, "GET", "/admin", "foreign token", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return len(user(r)) > 50 && answer(w, 401, "user not found")
	})},
	{"a crawler gets in", probe.FaultCrawlerDifference, "GET", "/admin", "anonymous", open(func(r *http.Request) bool {
		return r.URL.Path == "/admin" && strings.Contains(r.UserAgent(), "bot")
	})},
	{"robots.txt is refused", probe.FaultCrawlerRefused, "GET", "/robots.txt", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/robots.txt" && answer(w, 401, "")
	})},
	{"a page links to what is refused", probe.FaultLinkRefused, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/health" && answer(w, 200, `<p><a class=x href="/admin">Admin</a>`, "Content-Type", "text/html")
	})},
	{"a page's script loads what is refused", probe.FaultLinkRefused, "GET", "/reports", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/app.js" {
			return answer(w, 200, "const r = await fetch('reports')", "Content-Type", "text/javascript")
		}
		return r.URL.Path == "/" && answer(w, 200, `<script src=app.js></script>`, "Content-Type", "text/html")
	})},
	{"a sitemap lists what is refused", probe.FaultLinkRefused, "GET", "/reports", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/sitemap.xml" && answer(w, 200, `<urlset><url><loc>https://www.example.com/reports</loc></url></urlset>`)
	})},
	{"CORS without the refusal", probe.FaultCORSHidesRefusal, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.Header.Get("Origin") != "" && user(r) == "root-secret" && answer(w, 200, r.URL.Path+"\n", "Access-Control-Allow-Origin", "*")
	})},
	{"CORS without the challenge", probe.FaultCORSHidesChallenge, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return false
	})},
	{"a refused preflight", probe.FaultPreflightRefused, "OPTIONS", "/admin", "anonymous", wrong(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return false
	})},
	{"another challenge on one route", probe.FaultInconsistentChallenge, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && anonymous(r) && answer(w, 401, "sign in, please\n", "WWW-Authenticate", `Basic realm="api"`)
	})},
	{"another body on one route", probe.FaultInconsistentBody, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && anonymous(r) && answer(w, 401, `{"error":"sign_in"}`, "Content-Type", "application/json")
	})},
	{"a form to sign in with 200", probe.FaultSoftDenial, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && anonymous(r) && answer(w, 200, `<title>Hello</title><input name=p type="password">`, "Content-Type", "text/html")
	})},
	{"a list of denials for everybody is an open route", probe.FaultOpenRoute, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && answer(w, 200, `[{"event": "access denied", "status": 403}]`)
	})},
	{"a redirect for a bad token alone", probe.FaultBadCredentialsStatus, "GET", "/admin", "malformed token", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return user(r) == "a.b.c" && answer(w, 302, "", "Location", "/health")
	})},
	{"404 for a bad token alone", probe.FaultBadCredentialsStatus, "GET", "/admin", "foreign token", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return len(user(r)) > 50 && answer(w, 404, "no such user")
	})},
	{"a role in a compressed body", probe.FaultRuleInBody, "GET", "/admin", "erin", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && user(r) == "erin-secret" && answer(w, 403, compressed(`requires role "root"`), "Content-Encoding", "gzip")
	})},
	{"a role in a page", probe.FaultRuleInBody, "GET", "/admin", "erin", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && user(r) == "erin-secret" && answer(w, 403, `<h1>No</h1><p>You need the <b>role</b> &quot;root&quot;`, "Content-Type", "text/html")
	})},
	{"a list with words of denial in another spelling", probe.FaultSpellingBypass, "GET", "/admin/", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return strings.TrimRight(r.URL.Path, "/") == "/admin" && (user(r) == "root-secret" || r.URL.Path == "/admin/") && answer(w, 200, `{"error": "none", "log": "access denied for root"}`)
	})},
	{"a denied page for browsers", probe.FaultSoftDenial, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && anonymous(r) && browser(r) && answer(w, 200, "<title>Access denied</title>", "Content-Type", "text/html")
	})},
	{"403 for browsers", probe.FaultAnonymousForbidden, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && anonymous(r) && browser(r) && answer(w, 403, "no")
	})},
	{"401 for browsers of those signed in", probe.FaultSignedInUnauthorized, "GET", "/admin", "erin", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && !anonymous(r) && browser(r) && answer(w, 401, "who?")
	})},
	{"no gate for browsers", probe.FaultOpenRoute, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && (user(r) == "root-secret" || browser(r)) && answer(w, 200, "the numbers")
	})},
	{"another status on one route", probe.FaultInconsistentStatus, "GET", "/admin", "anonymous", wrong(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/admin" && anonymous(r) && answer(w, 403, "sign in")
	})},
}

func TestEachFaultIsFound(t *testing.T) {
	for _, c := range faults {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := right()
			c.spoil(s)
			r := run(t, s, settings())
			if !slices.ContainsFunc(r.Findings, func(f probe.Finding) bool {
				return f.Code == c.code && f.Method == c.method && f.Path == c.path && f.As == c.as
			}) {
				t.Errorf("no %s for %s %s as %s in %v: %+v", c.code, c.method, c.path, c.as, codes(r), r.Findings)
			}
		})
	}
}

// TestAnswersThatAreRight: answers that look like faults and are not.
func TestAnswersThatAreRight(t *testing.T) {
	for name, spoil := range map[string]func(*site){
		"405 for HEAD": wrong(func(w http.ResponseWriter, r *http.Request) bool { return r.Method == "HEAD" && answer(w, 405, "") }),
		"a redirect to the plain form": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/") && answer(w, 301, "", "Location", strings.TrimRight(r.URL.Path, "/"))
		}),
		"400 for odd paths": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return strings.ContainsAny(r.RequestURI, `%\;`) && answer(w, 400, "bad path")
		}),
		"one page for all paths": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			switch r.RequestURI {
			case "/health", "/reports", "/reports/1", "/admin":
				return false
			}
			return r.Header.Get("Origin") == "" && !strings.Contains(r.RequestURI, "?") && answer(w, 200, "<title>App</title>", "Content-Type", "text/html")
		}),
		"404 in place of 401 and 403": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/admin" && user(r) != "root-secret" && answer(w, 404, "not found")
		}),
		"a limit that answers 429": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return user(r) == "not-a-token" && answer(w, 429, "slow down", "Retry-After", "0")
		}),
		"insufficient_scope on a 403": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/admin" && user(r) == "erin-secret" &&
				answer(w, 403, "no", "WWW-Authenticate", `Bearer realm="api", error="insufficient_scope", scope="admin"`)
		}),
		"step-up": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/admin" && user(r) == "root-secret" &&
				answer(w, 401, "again", "WWW-Authenticate", `Bearer realm="api", error="insufficient_user_authentication", max_age="5"`)
		}),
		"refusals without a body": func(s *site) { s.words = nil },
		"everything behind the gate": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return anonymous(r) && r.URL.Path != "/health" && answer(w, 401, "sign in, please\n")
		}),
		"a page whose links are public": wrong(func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/health" && answer(w, 200, `<a href="https://other.example/admin">x</a><a href="#top">x</a><!-- <a href="/admin"> -->`, "Content-Type", "text/html")
		}),
		"permission without a name": func(s *site) {
			s.words[403] = "You do not have the required permission to view this. Invalid username or password is another thing.\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := right()
			spoil(s)
			if r := run(t, s, settings()); len(r.Findings) > 0 {
				t.Errorf("found %+v", r.Findings)
			}
		})
	}
}

func TestAccountsAreToldApart(t *testing.T) {
	basic := func(known func(http.Header) string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/reports" {
				http.NotFound(w, r)
				return
			}
			name, password, _ := r.BasicAuth()
			if name == "erin" && password == "erin-pass" {
				return
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="api"`)
			w.Header().Set("Cache-Control", "no-store")
			more := ""
			if name == "erin" {
				more = known(w.Header())
			}
			w.WriteHeader(401)
			fmt.Fprintln(w, "sign in,", name, more)
		})
	}
	s := probe.Settings{
		Routes:     []probe.Route{{Method: "GET", Pattern: "/reports"}},
		Identities: []probe.Identity{{Name: "erin", Header: []core.Field{{Name: "Authorization", Value: "Basic ZXJpbjplcmluLXBhc3M="}}}},
	}
	for want, known := range map[string]func(http.Header) string{
		"":                         func(http.Header) string { return "" },
		probe.FaultUserEnumeration: func(http.Header) string { return "is it really you?" },
		probe.FaultUserTiming: func(h http.Header) string {
			h.Set("Took", "40ms") // as a password hash does
			return ""
		},
	} {
		if got := strings.Join(codes(run(t, basic(known), s)), " "); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("found %q, want %q", got, want)
		}
	}
}

func TestCachedAnswer(t *testing.T) {
	kept := false
	s := right()
	s.wrong = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/admin" && user(r) == "root-secret" {
			kept = true
		}
		return kept && r.URL.Path == "/admin" && answer(w, 200, "root's numbers")
	}
	if r := run(t, s, settings()); !slices.Contains(codes(r), probe.FaultCachedAnswer) {
		t.Errorf("found %v", codes(r))
	}
}

func TestRateLimits(t *testing.T) {
	n := 0
	s := right()
	s.wrong = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/admin" && anonymous(r) {
			n++
		}
		return n > 40 && r.URL.Path == "/admin" && anonymous(r) && answer(w, 403, "no")
	}
	if r := run(t, s, settings()); !slices.Contains(codes(r), probe.FaultRateLimitForbidden) {
		t.Errorf("found %v after %d", codes(r), n)
	}
}
