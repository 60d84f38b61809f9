package stacks

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"
)

var update = flag.Bool("update", false, "write the table of answers into README.md anew")

// readme is reached by a link inside the module: go test looks only there for
// files whose change makes it run a test again.
const readme = "testdata/repository/README.md"

// What the table stands between in README.md.
const tableStart, tableEnd = "<!-- answers -->\n\n", "\n<!-- end of answers -->\n"

// column is a stack of others in the table.
type column struct {
	framework string
	title     string // with the module whose version stands behind it
	module    string
}

var columns = []column{
	{"gin", "gin-jwt", "github.com/appleboy/gin-jwt/v2"},
	{"echo", "echo-jwt", "github.com/labstack/echo-jwt/v4"},
	{"fiber", "Fiber contrib/jwt", "github.com/gofiber/contrib/jwt"},
	{"chi", "chi jwtauth", "github.com/go-chi/jwtauth/v5"},
	{"nethttp", "auth0 go-jwt-middleware", "github.com/auth0/go-jwt-middleware/v2"},
}

// answer is what a client gets.
type answer struct {
	status int
	header http.Header
}

// String is the status, and what is wrong with the challenge.
func (a answer) String() string {
	challenged := a.header.Get("WWW-Authenticate") != ""
	switch {
	case a.status == http.StatusUnauthorized && !challenged:
		return "401, no challenge"
	case a.status == http.StatusForbidden && challenged:
		return "403, challenge"
	}
	return fmt.Sprint(a.status)
}

// cacheControl is what an answer says to caches.
func (a answer) cacheControl() string {
	if value := a.header.Get("Cache-Control"); value != "" {
		return "`" + value + "`"
	}
	return "not said"
}

// ask sends the request of [Caller] with these Authorization fields.
func ask(c Caller, authorization []string) answer {
	switch c := c.(type) {
	case *httpCaller:
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header["Authorization"] = authorization
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		return answer{w.Code, w.Header()}
	case *fiberCaller:
		var r fasthttp.Request
		r.SetRequestURI(path)
		r.Header.SetHost("example.com")
		for _, value := range authorization {
			r.Header.Add(fasthttp.HeaderAuthorization, value)
		}
		var ctx fasthttp.RequestCtx
		ctx.Init(&r, nil, nil)
		c.handler(&ctx)
		a := answer{ctx.Response.StatusCode(), http.Header{}}
		for key, value := range ctx.Response.Header.All() {
			a.header.Add(string(key), string(value))
		}
		return a
	default:
		panic(fmt.Sprintf("no way to ask a %T", c))
	}
}

// situation is a row of the table.
type situation struct {
	name          string
	authorization []string
	keysFail      bool
	right         string
	cell          func(answer) string
}

// situations are the rows, with what is right.
func situations(t *testing.T, w *World) []situation {
	t.Helper()
	sign := func(change func(jwt.MapClaims)) []string {
		claims := claimsOf(w.allowed)
		change(claims)
		value, err := w.sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		return []string{value}
	}
	good := sign(func(jwt.MapClaims) {})
	refused := sign(func(c jwt.MapClaims) { c["sub"] = w.refused })
	return []situation{
		{"no token", nil, false, "401", answer.String},
		{"an expired token", sign(func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() }), false, "401", answer.String},
		{"a forged token", []string{good[0][:len(good[0])-20] + strings.Repeat("A", 20)}, false, "401", answer.String},
		{"a token without an expiry", sign(func(c jwt.MapClaims) { delete(c, "exp") }), false, "401", answer.String},
		{"a token for another service", sign(func(c jwt.MapClaims) { c["aud"] = "mail" }), false, "401", answer.String},
		{"two `Authorization` lines", slices.Concat(good, refused), false, "400", answer.String},
		{"the key server is down", good, true, "503", answer.String},
		{"signed in, not allowed", refused, false, "403", answer.String},
		{"a user named like a role", sign(func(c jwt.MapClaims) { c["sub"] = fmt.Sprintf("role%d", ruleAsked/10) }), false, "403", answer.String},
		{"a refusal's `Cache-Control`", refused, false, "`no-store`", answer.cacheControl},
	}
}

// answers is the table in Markdown, in bold what is not right.
func answers(t *testing.T) string {
	t.Helper()
	w := NewWorld()
	apps, down := open(t, w), open(t, &World{source: w.source, secret: w.secret, keysDown: true})
	goMod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range columns {
		version := regexp.MustCompile(`(?m)^\t` + regexp.QuoteMeta(c.module) + ` v(\S+)$`).FindSubmatch(goMod)
		if version == nil {
			t.Fatalf("go.mod requires no %s", c.module)
		}
		fmt.Fprintf(&b, " %s %s |", c.title, version[1])
	}
	b.WriteString(" Sallyport |\n|" + strings.Repeat("---|", len(columns)+2) + "\n")
	for _, s := range situations(t, w) {
		asked := apps
		if s.keysFail {
			asked = down
		}
		fmt.Fprintf(&b, "| %s |", s.name)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", asked.peer(c.framework, s))
		}
		fmt.Fprintf(&b, " %s |\n", asked.ours(t, s))
	}
	return b.String()
}

// apps are the guarded apps of each framework.
type apps map[string]struct{ ours, peer Caller }

func open(t *testing.T, w *World) apps {
	t.Helper()
	all := apps{}
	for _, s := range All() {
		if s.Guard == Bare {
			continue
		}
		c, err := s.Open(w)
		if err != nil {
			t.Fatalf("%s, %s: %v", s.Framework, s.Guard, err)
		}
		both := all[s.Framework]
		if s.Guard == Sallyport {
			both.ours = c
		} else {
			both.peer = c
		}
		all[s.Framework] = both
	}
	return all
}

// peer is the cell of the stack of others on a framework.
func (a apps) peer(framework string, s situation) string {
	if framework == "chi" && s.keysFail {
		return "–" // jwtauth is given its keys and asks nobody for them
	}
	got := s.cell(ask(a[framework].peer, s.authorization))
	if got != s.right {
		return "**" + got + "**"
	}
	return got
}

// ours is our cell, which must be right and the same on all frameworks.
func (a apps) ours(t *testing.T, s situation) string {
	t.Helper()
	for _, c := range columns {
		if got := s.cell(ask(a[c.framework].ours, s.authorization)); got != s.right {
			t.Errorf("Sallyport on %s: %s: %s, want %s", c.framework, s.name, got, s.right)
		}
	}
	return s.right
}

// TestReadmeShowsWhatStacksAnswer measures the table of README.md.
func TestReadmeShowsWhatStacksAnswer(t *testing.T) {
	want := answers(t)
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, started := strings.Cut(string(text), tableStart)
	got, after, ended := strings.Cut(rest, tableEnd)
	if !started || !ended {
		t.Fatalf("README.md has no table between %q and %q", tableStart, tableEnd)
	}
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+tableStart+want+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("README.md says\n%s\nwhile the answers are\n%s\nTo write them there: go test ./examples/bench/stacks -update", got, want)
}
