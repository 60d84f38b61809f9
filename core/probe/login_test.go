package probe_test

import (
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

// login is a service with a form for erin and sam, with a token in it that is new
// in each, and the same as JSON.
type login struct {
	tries map[string]int
	// known answers a wrong password for an existing account, or returns false.
	known func(w http.ResponseWriter, n int) bool
}

func (l *login) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "POST" || r.URL.Path != "/login" {
		http.NotFound(w, r)
		return
	}
	name := r.FormValue("username")
	form := r.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
	if !form {
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		name = body["email"]
	}
	l.tries[name]++
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, &http.Cookie{Name: "visit", Value: rand.Text()})
	if (strings.HasPrefix(name, "erin") || name == `s"am`) && l.known != nil && l.known(w, l.tries[name]) {
		return
	}
	if form {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<p>Wrong name or password, %s<input type=hidden value=%s7><input type=password>", name, rand.Text())
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
	w.WriteHeader(401)
	fmt.Fprintf(w, `{"error": "sign_in_failed", "request": "%s7"}`, rand.Text())
}

func loginSettings(body string, users ...string) probe.Settings {
	return probe.Settings{Login: &probe.Login{Path: "/login", Body: body}, Users: users}
}

const asJSON = `{"email": "{account}", "password": "{password}"}`

func TestLoginsTellWhetherAnAccountExists(t *testing.T) {
	write := func(status int, body string, fields ...string) func(http.ResponseWriter, int) bool {
		return func(w http.ResponseWriter, _ int) bool { return answer(w, status, body, fields...) }
	}
	for _, c := range []struct {
		name, body, user, want string
		known                  func(w http.ResponseWriter, n int) bool
	}{
		{"a form that tells nothing", "", "erin", "", nil},
		{"JSON that tells nothing", asJSON, "erin@mail.example", "", nil},
		{"a name with quotes", asJSON, `s"am`, "", nil},
		{"other words", "", "erin", probe.FaultUserEnumeration, write(200, "<p>Wrong password<input type=password>", "Content-Type", "text/html")},
		{"another code in JSON", asJSON, "erin@mail.example", probe.FaultUserEnumeration, write(401, `{"error": "password_does_not_fit", "request": "r1"}`)},
		{"another status", asJSON, `s"am`, probe.FaultUserEnumeration, write(403, `{"error": "no"}`)},
		{"another place", "", "erin", probe.FaultUserEnumeration, write(302, "", "Location", "/login/password")},
		{"a cookie", "", "erin", probe.FaultUserEnumeration, func(w http.ResponseWriter, _ int) bool {
			http.SetCookie(w, &http.Cookie{Name: "half", Value: "x"})
			return false
		}},
		{"a different time", asJSON, "erin@mail.example", probe.FaultUserTiming, func(w http.ResponseWriter, _ int) bool {
			w.Header().Set("Took", "40ms") // as a password hash does
			return false
		}},
		{"a machine that is busy now and then", asJSON, "erin@mail.example", "", func(w http.ResponseWriter, n int) bool {
			w.Header().Set("Took", []string{"3ms", "12ms"}[n%2])
			return false
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &login{tries: map[string]int{}, known: c.known}
			r := run(t, l, loginSettings(c.body, c.user))
			i := slices.IndexFunc(r.Findings, func(f probe.Finding) bool { return f.Code == c.want })
			if c.want == "" && len(r.Findings) > 0 || c.want != "" && i < 0 {
				t.Fatalf("found %+v, want %q", r.Findings, c.want)
			}
			if c.want == "" {
				return
			}
			f := r.Findings[i]
			if curl := f.Curl("http://x", nil); f.Method != "POST" || f.Path != "/login" || f.As != "wrong password" || !strings.Contains(curl, "--data-raw '") || !strings.Contains(curl, "-X 'POST'") {
				t.Errorf("got %+v and %s", f, curl)
			}
			if l.tries[c.user] != probe.AccountTries || len(l.tries) != 1+2*probe.AccountTries {
				t.Errorf("tried %v", l.tries)
			}
		})
	}
}

// TestLoginsAreNotLocked: no more passwords are tried after the answer of a limit.
func TestLoginsAreNotLocked(t *testing.T) {
	for name, limit := range map[string]func(w http.ResponseWriter) bool{
		"429":        func(w http.ResponseWriter) bool { return answer(w, 429, "wait", "Retry-After", "0") },
		"423":        func(w http.ResponseWriter) bool { return answer(w, 423, "locked") },
		"403":        func(w http.ResponseWriter) bool { return answer(w, 403, "too many attempts") },
		"401 waited": func(w http.ResponseWriter) bool { return answer(w, 401, "no", "Retry-After", "900") },
	} {
		l := &login{tries: map[string]int{}, known: func(w http.ResponseWriter, n int) bool { return n > 1 && limit(w) }}
		r := run(t, l, loginSettings(asJSON, "erin", `s"am`))
		if l.tries["erin"] != 2 || l.tries[`s"am`] != 0 {
			t.Errorf("%s: tried %v", name, l.tries)
		}
		if slices.Contains(codes(r), probe.FaultRateLimitForbidden) != (name == "403") {
			t.Errorf("%s: found %q", name, codes(r))
		}
		if !slices.ContainsFunc(r.Notes, func(n string) bool {
			return strings.Contains(n, "POST /login with wrong passwords: no more were sent after a limit answered")
		}) {
			t.Errorf("%s: notes %q", name, r.Notes)
		}
	}
}

// TestOneAccountIsTriedAFewTimes: no account gets more wrong passwords than
// [probe.AccountTries], whatever the settings.
func TestOneAccountIsTriedAFewTimes(t *testing.T) {
	var wrong atomic.Int64
	s := right()
	s.wrong = func(w http.ResponseWriter, r *http.Request) bool {
		name, password, ok := r.BasicAuth()
		if body, err := io.ReadAll(r.Body); err == nil && strings.Contains(string(body), "=erin&") || ok && name == "erin" && password != "erin-pass" {
			wrong.Add(1)
		}
		return ok && name == "erin" && password == "erin-pass" && answer(w, 200, "here")
	}
	set := settings()
	set.Identities = []probe.Identity{{Name: "erin", Header: []core.Field{{Name: "Authorization", Value: "Basic ZXJpbjplcmluLXBhc3M="}}}}
	set.Users = []string{"erin"}
	for _, at := range []*probe.Login{nil, {Path: "/login"}} {
		wrong.Store(0)
		set.Login = at
		if run(t, s, set); wrong.Load() != probe.AccountTries {
			t.Errorf("%d wrong passwords were sent, with the login %v", wrong.Load(), at)
		}
	}
}

func TestLoginIsRefused(t *testing.T) {
	for want, l := range map[string]probe.Login{
		"the path must begin with /":  {Path: "login"},
		"one that takes a body":       {Method: "get", Path: "/login"},
		"must contain {account}":      {Path: "/login", Body: "name=erin"},
		"begins like JSON":            {Path: "/login", Body: "{account}{password}"},
		"name an account that exists": {Path: "/login"},
	} {
		s := probe.Settings{Login: &l}
		if want != "name an account that exists" {
			s.Users = []string{"erin"}
		}
		if _, err := probe.Plan(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestForms: a form is sent with its hidden fields and cookies, without which it is
// refused, and a note says if the login may not have looked for an account.
func TestForms(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/login" {
			http.NotFound(w, r)
			return
		}
		if r.Method == "GET" {
			token := rand.Text()
			http.SetCookie(w, &http.Cookie{Name: "form", Value: token})
			answer(w, 200, `<form><input type=hidden name=q value=x></form><form method="post"><input name="username"><input type="password" name="password">`+
				`<input type='hidden' name='csrf' value='a&amp;`+token+`'></form>`, "Content-Type", "text/html; charset=utf-8")
			return
		}
		c, err := r.Cookie("form")
		switch {
		case err != nil || r.FormValue("csrf") != "a&"+c.Value || r.FormValue("q") != "":
			answer(w, 403, "no token", "Content-Type", "text/html")
		case r.FormValue("username") == "erin":
			answer(w, 200, "<p>That was not it.", "Content-Type", "text/html")
		default:
			answer(w, 200, "<p>Who?", "Content-Type", "text/html")
		}
	})
	r := run(t, h, loginSettings("", "erin"))
	if got := codes(r); !slices.Equal(got, []string{probe.FaultUserEnumeration}) || len(r.Notes) > 0 {
		t.Errorf("found %q, notes %q", got, r.Notes)
	}
	r = run(t, h, loginSettings("csrf=wrong&username={account}&password={password}", "erin"))
	if len(r.Findings) > 0 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "POST /login answers 403 to all tries") {
		t.Errorf("found %+v, notes %q", r.Findings, r.Notes)
	}
}
