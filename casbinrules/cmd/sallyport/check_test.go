package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"

	"github.com/sallyport-go/sallyport/core/authtest"
)

func TestCheckAnswersBeforeStdinEnds(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, "", "init", ".")
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(5*time.Minute)) // instead of waiting for answers for ever
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "check")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, c := range []struct{ request, want string }{
		{"erin, /reports/7, PATCH", "allow"}, {"victor, /reports/7, PATCH", "deny"}, {"", "error: the line is empty: a request is sub, obj, act"},
	} {
		if _, err := io.WriteString(in, c.request+"\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() || lines.Text() != c.want {
			t.Fatalf("%q: got %q, %v", c.request, lines.Text(), lines.Err())
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("got %v, want exit code 1 for the error", err)
	}
}

func TestCheckTakes100000RequestsInOrder(t *testing.T) {
	const n = 100_000
	dir := t.TempDir()
	run(t, dir, "", "init", ".", "--preset", "rbac-deny")
	var requests, want strings.Builder
	for i := range n {
		answer := "deny\n"
		if i%3 == 0 {
			fmt.Fprintf(&requests, "erin, /reports/%d, PATCH\n", i)
			answer = "allow\n"
		} else {
			fmt.Fprintf(&requests, "user%d, /files/secret/%d, GET\n", i, i)
		}
		want.WriteString(answer)
	}
	got := run(t, dir, requests.String(), "check")
	if got.code != 0 || got.stdout != want.String() || got.stderr != "" {
		t.Errorf("exit code %d, %d bytes instead of %d, %q", got.code, len(got.stdout), want.Len(), got.stderr)
	}
}

// family is a kind of model, with what is put into its fields.
type family struct {
	name, request, policy, roles, effect, matcher string
	// lines are fields of p lines: of each one of the choices.
	lines []choices
}

type choices []string

var (
	people   = choices{"u0", "u1", "r0", "r1", "r2"}
	paths    = choices{"/a", "/a/:id", "/b/*", "/*", "/a/b"}
	braces   = choices{"/a", "/a/{id}", "/b/*", "/*", "/{x}/b"}
	regexps  = choices{"^/a", "/b$", "^/a/[0-9]+$", ".*"}
	methods  = choices{"GET", "POST", "*"}
	effects  = choices{"allow", "allow", "deny"}
	tenants  = choices{"t1", "t2"}
	priority = choices{"1", "2", "10"}
)

const (
	allowed    = "some(where (p.eft == allow))"
	denyWins   = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
	firstMatch = "priority(p.eft) || deny"
	action     = `(p.act == "*" || r.act == p.act)`
)

var families = []family{
	{"ACL", "sub, obj, act", "sub, obj, act", "", allowed, "r.sub == p.sub && r.obj == p.obj && r.act == p.act", []choices{people, {"/a", "/b"}, methods}},
	{"RBAC", "sub, obj, act", "sub, obj, act", "g = _, _", allowed, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && " + action, []choices{people, paths, methods}},
	{"deny", "sub, obj, act", "sub, obj, act, eft", "g = _, _", denyWins, "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && " + action, []choices{people, paths, methods, effects}},
	{"tenants", "sub, dom, obj, act", "sub, dom, obj, act", "g = _, _, _", allowed, "g(r.sub, p.sub, r.dom) && r.dom == p.dom && keyMatch3(r.obj, p.obj) && " + action, []choices{people, tenants, braces, methods}},
	{"priority", "sub, obj, act", "priority, sub, obj, act, eft", "g = _, _", firstMatch, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && " + action, []choices{priority, people, paths, methods, effects}},
	{"first match", "act, obj, sub", "sub, obj, act, eft", "g = _, _", firstMatch, "g(r.sub, p.sub) && keyMatch5(r.obj, p.obj) && " + action, []choices{people, braces, methods, effects}},
	{"regexp", "sub, obj, act", "sub, obj, act", "g = _, _", allowed, "g(r.sub, p.sub) && regexMatch(r.obj, p.obj) && regexMatch(r.act, p.act)", []choices{people, regexps, {"GET|POST", "^GET$", "."}}},
	{"resource roles", "sub, obj, act", "sub, obj, act", "g = _, _\ng2 = _, _", allowed, "g(r.sub, p.sub) && g2(r.obj, p.obj) && " + action, []choices{people, {"/a", "pages"}, methods}},
}

func (f family) model() string {
	text := "[request_definition]\nr = " + f.request + "\n[policy_definition]\np = " + f.policy + "\n"
	if f.roles != "" {
		text += "[role_definition]\n" + f.roles + "\n"
	}
	return text + "[policy_effect]\ne = " + f.effect + "\n[matchers]\nm = " + f.matcher + "\n"
}

func (f family) randomPolicy(rnd *rand.Rand) string {
	var b strings.Builder
	for range 1 + rnd.IntN(10) {
		b.WriteString("p")
		for _, c := range f.lines {
			b.WriteString(", " + c[rnd.IntN(len(c))])
		}
		b.WriteByte('\n')
	}
	if f.roles == "" {
		return b.String()
	}
	tenant := ""
	if strings.Contains(f.roles, "_, _, _") {
		tenant = ", " + tenants[rnd.IntN(2)]
	}
	for _, link := range []string{"u0, r0", "u1, r1", "r0, r1", "r1, r2"} {
		if rnd.IntN(2) == 0 {
			b.WriteString("g, " + link + tenant + "\n")
		}
	}
	if strings.Contains(f.roles, "g2") {
		b.WriteString("g2, /b, pages\ng2, /a/b, pages\n")
	}
	return b.String()
}

// randomRequest has any of these as values, empty ones and odd ones too.
func (f family) randomRequest(rnd *rand.Rand) []string {
	values := map[string]choices{
		"sub": {"u0", "u1", "u2", "r0", "r2", "", "anonymous"},
		"dom": {"t1", "t2", "", "t3"},
		"obj": {"/a", "/a/7", "/b", "/b/c/d", "/a/b", "/", "", "/a/7/b"},
		"act": {"GET", "POST", "HEAD", "TRACE", "*", ""},
	}
	var request []string
	for name := range strings.SplitSeq(f.request, ", ") {
		request = append(request, values[name][rnd.IntN(len(values[name]))])
	}
	return request
}

// TestCheckAsCasbinEqualsCasbin asks Casbin itself the same of random policies.
func TestCheckAsCasbinEqualsCasbin(t *testing.T) {
	const policies, requests = 6, 400
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	seen := map[string]int{}
	for _, f := range families {
		for range policies {
			dir := t.TempDir()
			model, policy := filepath.Join(dir, "model.conf"), filepath.Join(dir, "policy.csv")
			writeFile(t, model, f.model())
			text := f.randomPolicy(rnd)
			writeFile(t, policy, text)
			enforcer, err := casbin.NewEnforcer(model, policy)
			if err != nil {
				t.Fatalf("%s: %v\n%s", f.name, err, text)
			}
			var stdin strings.Builder
			var want []string
			for range requests {
				request := f.randomRequest(rnd)
				stdin.WriteString(csv(request) + "\n")
				want = append(want, enforce(t, enforcer, request))
			}
			got := run(t, dir, stdin.String(), "check", "--as-casbin", "-p", policy)
			answers := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
			if got.code != 0 || len(answers) != requests {
				t.Fatalf("%s: exit code %d, %d answers, %s\n%s", f.name, got.code, len(answers), got.stderr, text)
			}
			for i, request := range strings.Split(strings.TrimSuffix(stdin.String(), "\n"), "\n") {
				seen[want[i]]++
				if answers[i] != want[i] {
					t.Fatalf("%s: %s is %s, Casbin says %s\n%s", f.name, request, answers[i], want[i], text)
				}
			}
		}
	}
	if seen["allow"] < 100 || seen["deny"] < 100 {
		t.Errorf("the requests show too little: %v", seen)
	}
}

func enforce(t *testing.T, e *casbin.Enforcer, request []string) string {
	t.Helper()
	values := make([]any, len(request))
	for i, v := range request {
		values[i] = v
	}
	ok, err := e.Enforce(values...)
	if err != nil {
		t.Fatalf("casbin: %q: %v", request, err)
	}
	if ok {
		return "allow"
	}
	return "deny"
}

// csv quotes every field, so that empty ones are fields.
func csv(values []string) string { return `"` + strings.Join(values, `","`) + `"` }
