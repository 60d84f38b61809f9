package replay_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	stringadapter "github.com/casbin/casbin/v2/persist/file-adapter"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/replay"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

const oldPolicy = `p, viewer, /reports/:id, GET, allow
p, editor, /reports/:id, PATCH, allow
p, editor, /drafts/:id, *, allow
p, u3, /reports/:id, GET, deny
p, auditor, /nobody/asks, GET, allow
g, editor, viewer
g, u0, editor
g, u1, viewer
`

const newPolicy = `p, viewer, /reports/:id, GET, allow
p, viewer, /drafts/:id, GET, allow
p, editor, /reports/:id, DELETE, allow
p, editor, /drafts/:id, *, allow
p, auditor, /nobody/asks, GET, allow
g, editor, viewer
g, u0, viewer
g, u1, editor
`

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens a policy, and returns its file.
func open(t testing.TB, text string, opts ...casbinrules.Option) (*ask.Policy, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.csv")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	a, err := casbinrules.Open(casbinrules.RBACWithDeny(), []string{file}, opts...)
	must(t, err)
	return &ask.Policy{Authorizer: a}, file
}

// asked is a request as tests generate it; the scheme trusts its sender.
type asked struct {
	method, path, route string
	principal           *core.Principal
}

func (r asked) Method() string { return r.method }
func (r asked) Target() string { return r.path }
func (asked) Host() string     { return "test" }
func (r asked) Route() (core.Route, error) {
	return core.Route{Pattern: r.route, Path: r.path}, nil
}
func (asked) Param(string) string         { return "" }
func (asked) Header(string) (string, int) { return "", 0 }
func (asked) Cookie(string) (string, int) { return "", 0 }
func (asked) Query(string) (string, int)  { return "", 0 }
func (asked) TLS() *tls.ConnectionState   { return nil }
func (asked) RemoteAddr() string          { return "192.0.2.1:1" }

// scheme trusts requests.
type scheme struct{}

func (scheme) Scheme() core.Scheme {
	return core.Scheme{Name: "Test", Sender: core.SentByClient, Attempt: core.Unguessable}
}

func (scheme) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	if p := r.(asked).principal; p != nil {
		return p, nil
	}
	return nil, core.ErrNoCredentials
}

func (scheme) Challenges(core.Request, error) []challenge.Challenge {
	c, err := challenge.New("Test")
	if err != nil {
		panic(err)
	}
	return []challenge.Challenge{c}
}

// traffic writes a log of n random requests, as decided by a guard with the policy, in
// several files, and returns their names.
func traffic(t testing.TB, a core.Authorizer, n int, opts ...core.Option) []string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	l, err := decisionlog.Open(name, decisionlog.WithQueueSize(1000), decisionlog.WithMaxFileSize(4<<20), decisionlog.WithHashChain())
	must(t, err)
	g, err := core.NewGuard([]core.Authenticator{scheme{}}, append(opts, core.WithAuthorizer(a), core.WithObserver(l))...)
	must(t, err)
	authorize, err := g.Authorize()
	must(t, err)
	authenticate, err := g.Authenticate()
	must(t, err)
	random := rand.New(rand.NewPCG(7, 11))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for i := range n {
		r := asked{method: pick("GET", "GET", "HEAD", "PATCH", "DELETE", "PUT"), route: pick("/reports/:id", "/drafts/:id", "/nobody/:id")}
		r.path = strings.Replace(r.route, ":id", fmt.Sprint(random.IntN(20)), 1)
		if random.IntN(10) > 0 {
			var roles []string
			if random.IntN(3) == 0 {
				roles = []string{pick("viewer", "editor", "auditor", "stranger")}
			}
			r.principal, err = core.NewPrincipal(core.PrincipalInfo{ID: "u" + fmt.Sprint(random.IntN(6)), Roles: roles})
			must(t, err)
		}
		gate := authorize
		if i%50 == 0 {
			gate = authenticate
		}
		gate.Check(t.Context(), r)
		if i%500 == 499 {
			must(t, l.Flush(t.Context()))
		}
	}
	must(t, l.Close())
	files, err := decisionlog.Files(name)
	must(t, err)
	return files
}

// flat lists a report's changes for each person.
func flat(r *replay.Report) map[string]uint64 {
	all := map[string]uint64{}
	for _, c := range r.Changes {
		for _, by := range c.By {
			all[fmt.Sprint(c.Gains, c.Tenant, " ", c.Action, c.Object, c.Rule, c.Old, by.Principal)] = by.Count
		}
	}
	return all
}

// enforcer is Casbin itself.
func enforcer(t testing.TB, file string) *casbin.Enforcer {
	t.Helper()
	m, err := casbinmodel.NewModelFromString(casbinrules.RBACWithDeny().Text())
	must(t, err)
	e, err := casbin.NewEnforcer(m, stringadapter.NewAdapter(file))
	must(t, err)
	return e
}

// found is the result of deciding line by line, with only encoding/json.
type found struct {
	lines, decisions, compared, dropped, lost uint64
	lacks, changes                            map[string]uint64
	used                                      map[string]bool // lines of the new policy
}

// brute decides all lines of files in order. each is called for those compared.
func brute(t testing.TB, files []string, before, after *ask.Policy, each func(r *decisionlog.Record, before, after core.Decision)) found {
	t.Helper()
	f := found{lacks: map[string]uint64{}, changes: map[string]uint64{}, used: map[string]bool{}}
	for _, name := range files {
		text, err := os.ReadFile(name)
		must(t, err)
		for line := range bytes.Lines(text) {
			if line = bytes.TrimSuffix(line, []byte("\n")); len(line) == 0 {
				continue
			}
			f.lines++
			record, err := decisionlog.Parse(line)
			switch {
			case err != nil:
				f.lacks[replay.LackUnreadable]++
				continue
			case record.Dropped != nil && record.Kind != decisionlog.KindDecision:
				f.dropped += record.Dropped.QueueFull + record.Dropped.WriteFailed
				continue
			case record.Open != nil && record.Kind != decisionlog.KindDecision:
				f.lost += uint64(record.Open.LostAtMost)
				continue
			case record.Kind != decisionlog.KindDecision:
				continue
			}
			f.decisions++
			why := bruteLack(record)
			if why != "" {
				f.lacks[why]++
				continue
			}
			q := record.Request
			b, a := decide(t, before, q), decide(t, after, q)
			if record.Reason != casbinrules.ReasonNoAttribute && (a.Reason == casbinrules.ReasonNoAttribute || b.Reason == casbinrules.ReasonNoAttribute) {
				f.lacks[replay.LackAttribute]++
				continue
			}
			f.compared++
			f.used[a.Rule] = true
			if each != nil {
				each(record, b, a)
			}
			if b.Allowed == a.Allowed {
				continue
			}
			who, rule, old := q.Principal, a.Rule, false
			if who == "" {
				who = "anonymous"
			}
			if rule == "" {
				rule, old = b.Rule, b.Rule != ""
			}
			f.changes[fmt.Sprint(a.Allowed, q.Tenant, " ", q.Action, cmp.Or(q.Name, q.Route, q.Resource), rule, old, who)]++
		}
	}
	return f
}

// bruteLack returns why a record is not compared, or "".
func bruteLack(r *decisionlog.Record) string {
	if r.Request == nil {
		return replay.LackUnreadable
	}
	values := append([]string{r.Request.Principal, r.Request.Tenant, r.Request.Action}, r.Request.TokenRoles...)
	values = append(values, strings.Split(r.Request.Resource, "/")...)
	for _, value := range r.Request.Attributes {
		values = append(values, value)
	}
	switch {
	case slices.Contains([]string{"require", "check"}, r.Gate) && r.Revision == "":
		return replay.LackRules
	case r.Gate != "authorize" && r.Revision == "":
		return replay.LackGateOne
	case r.Request.Action == "":
		return replay.LackAsked
	case r.Outcome != "allowed" && r.Outcome != "forbidden" && r.Outcome != "unauthenticated":
		return replay.LackDecision
	case r.Request.Cut:
		return replay.LackCut
	case slices.ContainsFunc(values, func(v string) bool {
		return len(v) == 30 && v[0] == '~' && v[5] == '.' && strings.Trim(v[1:5]+v[6:], "0123456789abcdef") == ""
	}):
		return replay.LackPseudonym
	}
	return ""
}

// equals reports differences between a replay and deciding line by line.
func (f found) equals(t testing.TB, r *replay.Report, after *ask.Policy) {
	t.Helper()
	if got := flat(r); !maps.Equal(got, f.changes) {
		t.Errorf("changes\ngot  %v\nwant %v", got, f.changes)
	}
	lacks := map[string]uint64{}
	for _, l := range r.Lacks {
		lacks[l.Why] = l.Count
	}
	if !maps.Equal(lacks, f.lacks) {
		t.Errorf("lacks\ngot  %v\nwant %v", lacks, f.lacks)
	}
	got, want := []uint64{r.Lines, r.Decisions, r.Compared, r.Dropped, r.LostAtMost}, []uint64{f.lines, f.decisions, f.compared, f.dropped, f.lost}
	if !slices.Equal(got, want) {
		t.Errorf("lines, decisions, compared, dropped, lost\ngot  %v\nwant %v", got, want)
	}
	var unused, wantUnused []string
	for _, rule := range r.Unused {
		unused = append(unused, rule.Place())
	}
	for _, rule := range after.Rules() {
		if rule.Kind == "p" && !f.used[rule.Place()] {
			wantUnused = append(wantUnused, rule.Place())
		}
	}
	if !slices.Equal(unused, wantUnused) {
		t.Errorf("unused\ngot  %v\nwant %v", unused, wantUnused)
	}
}

// manyLines is the number of lines in test logs: a million in long runs.
func manyLines() int {
	if os.Getenv("SALLYPORT_LONG") != "" {
		return 1_000_000
	}
	return 20_000
}

// TestEqualsBruteForce: the report equals deciding line by line, and Casbin's own
// decisions for requests that Casbin knows in full.
func TestEqualsBruteForce(t *testing.T) {
	t.Parallel()
	lines := manyLines()
	before, beforeFile := open(t, oldPolicy)
	after, afterFile := open(t, newPolicy)
	files := traffic(t, before, lines)
	r, err := replay.Run(t.Context(), files, replay.Settings{Old: before, New: after, Samples: 2})
	must(t, err)

	asCasbin := 0
	casbinBefore, casbinAfter := enforcer(t, beforeFile), enforcer(t, afterFile)
	want := brute(t, files, before, after, func(record *decisionlog.Record, b, a core.Decision) {
		if b.Allowed != (record.Outcome == core.OutcomeAllowed) {
			t.Fatalf("%+v: the policy that has decided allows %t", record, b.Allowed)
		}
		q := record.Request
		if q.Principal != "" && q.TokenRoles == nil && q.Method != "HEAD" {
			asCasbin++
			for e, d := range map[*casbin.Enforcer]core.Decision{casbinBefore: b, casbinAfter: a} {
				if ok, err := e.Enforce(q.Principal, q.Resource, q.Action); err != nil || ok != d.Allowed {
					t.Fatalf("%+v: Casbin allows %t, %v", record, ok, err)
				}
			}
		}
	})
	want.equals(t, r, after)
	if len(want.changes) < 20 || asCasbin < lines/3 || len(files) < 2 {
		t.Errorf("%d changes, %d by Casbin, %d files", len(want.changes), asCasbin, len(files))
	}
	if r.NotReproduced != 0 || len(r.Lacks) != 1 || len(r.Lacks[0].Samples) != 2 {
		t.Errorf("not reproduced %d, lacks %+v", r.NotReproduced, r.Lacks)
	}

	// Without the lines that decided nothing, decisions stay the same.
	if len(r.Unused) != 1 || !strings.Contains(r.Unused[0].Text, "/nobody/asks") {
		t.Errorf("unused: %v", r.Unused)
	}
	slim, _ := open(t, strings.Replace(newPolicy, "p, auditor, /nobody/asks, GET, allow\n", "", 1))
	if again, err := replay.Run(t.Context(), files, replay.Settings{Old: after, New: slim}); err != nil || len(again.Changes) > 0 {
		t.Errorf("without them: %v, %v", again.Changes, err)
	}
	// Comparing with the log's decisions gives the same.
	if logged, err := replay.Run(t.Context(), files, replay.Settings{New: after}); err != nil || !maps.Equal(flat(logged), want.changes) {
		t.Errorf("against the log: %v, %v", flat(logged), err)
	}
}

func decide(t testing.TB, a *ask.Policy, q *decisionlog.Request) core.Decision {
	t.Helper()
	access := core.Access{
		Action: q.Action, Request: asked{method: q.Method}, // an action other than the method was named by the application
		Resource: core.Resource{Path: q.Resource, Route: q.Route, Name: q.Name, Folded: q.Folded},
	}
	if q.Principal == "" {
		d, err := a.AuthorizeAnonymous(t.Context(), access)
		must(t, err)
		return d
	}
	claims := map[string]any{}
	for name, value := range q.Attributes {
		claims[name] = value
	}
	ask := func(id string, roles ...string) core.Decision {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Roles: roles, Tenant: q.Tenant, Claims: claims})
		must(t, err)
		d, err := a.Authorizer.Authorize(t.Context(), p, access)
		must(t, err)
		return d
	}
	if a.Alone != "" {
		if d := ask("nobody at all", a.Alone); d.Allowed {
			return d
		}
	}
	roles := q.TokenRoles
	if a.Default != "" { // of a policy opened without it
		roles = append(slices.Clone(roles), a.Default)
	}
	return ask(q.Principal, roles...)
}

// TestDefaultRolesEqualBruteForce: everyone who is signed in has the default role,
// and a role asked alone takes nothing from anyone; anonymous requests have neither.
func TestDefaultRolesEqualBruteForce(t *testing.T) {
	t.Parallel()
	const denied = "p, viewer, /drafts/:id, GET, deny\n"
	files := traffic(t, asOpened(t, oldPolicy, "", ""), 5_000)
	for _, c := range []struct{ oldDefault, oldAlone, newDefault, newAlone string }{
		{"", "", "viewer", ""}, {"viewer", "", "", ""}, {"viewer", "", "editor", ""},
		{"", "", "", "viewer"}, {"", "viewer", "", ""}, {"viewer", "", "", "viewer"}, {"", "viewer", "auditor", "editor"},
	} {
		for _, more := range []string{"", denied} {
			r, err := replay.Run(t.Context(), files, replay.Settings{
				Old: asOpened(t, oldPolicy+more, c.oldDefault, c.oldAlone), New: asOpened(t, newPolicy+more, c.newDefault, c.newAlone),
			})
			must(t, err)
			before, _ := open(t, oldPolicy+more)
			before.Default, before.Alone = c.oldDefault, c.oldAlone
			after, _ := open(t, newPolicy+more)
			after.Default, after.Alone = c.newDefault, c.newAlone
			want := brute(t, files, before, after, nil)
			want.equals(t, r, after)
			if len(want.changes) < 5 {
				t.Errorf("%+v: %d changes", c, len(want.changes))
			}
			for what := range want.changes {
				if strings.HasPrefix(what, "true") && strings.HasSuffix(what, "anonymous") {
					t.Errorf("%+v: %s", c, what)
				}
			}
		}
	}
}

// asOpened returns a policy with the default roles, as the command opens it.
func asOpened(t testing.TB, text, standard, alone string) *ask.Policy {
	t.Helper()
	var opts []casbinrules.Option
	if standard != "" {
		opts = append(opts, casbinrules.WithDefaultRole(standard), casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	}
	p, _ := open(t, text, opts...)
	p.Default, p.Alone = standard, alone
	return p
}

// TestLacks: missing parts of a log are reported, not guessed.
func TestLacks(t *testing.T) {
	t.Parallel()
	before, _ := open(t, oldPolicy)
	after, _ := open(t, newPolicy)
	settings := replay.Settings{Old: before, New: after, Samples: 5}
	why := func(files []string) map[string]uint64 {
		t.Helper()
		r, err := replay.Run(t.Context(), files, settings)
		must(t, err)
		all := map[string]uint64{"compared": r.Compared, "dropped": r.Dropped, "lost": r.LostAtMost, "rates": uint64(len(r.SampleRates)), "changes": uint64(len(r.Changes))}
		for _, l := range r.Lacks {
			all[l.Why] = l.Count
		}
		return all
	}
	masked := why(traffic(t, before, 200, core.WithPseudonyms(bytes.Repeat([]byte("k"), 32))))
	if masked[replay.LackPseudonym] < 100 {
		t.Errorf("pseudonyms: %v", masked)
	}
	file := filepath.Join(t.TempDir(), "log")
	decision := `{"v":1,"kind":"decision","seq":%d,"time":"2026-11-29T00:00:00Z","outcome":"%s","status":200,"gate":"authorize","request":{%s},"duration_us":3}` + "\n"
	text := `{"v":1,"kind":"open","seq":1,"time":"2026-11-29T00:00:00Z","open":{"why":"start","sample_rate":0.5,"lost_at_most":7}}` + "\n" +
		`{"v":1,"kind":"dropped","seq":2,"time":"2026-11-29T00:00:00Z","dropped":{"queue_full":3,"write_failed":1}}` + "\n" +
		fmt.Sprintf(decision, 3, "allowed", `"principal":"u0","method":"PATCH","action":"PATCH","route":"/reports/:id","resource":"/reports/7","cut":true`) +
		fmt.Sprintf(decision, 4, "unavailable", `"principal":"u0","method":"PATCH","action":"PATCH","resource":"/reports/7"`) +
		fmt.Sprintf(decision, 5, "unauthenticated", `"method":"PATCH"`) +
		"no line\n" +
		// Keys in another order, as written by another program.
		`{"kind":"decision","request":{"resource":"/reports/7","route":"/reports/:id","action":"PATCH","method":"PATCH","principal":"u0"},"gate":"authorize","outcome":"allowed","time":"2026-11-29T00:00:00Z","seq":6,"v":1}`
	must(t, os.WriteFile(file, []byte(text), 0o600))
	want := map[string]uint64{
		"compared": 1, "changes": 1, "dropped": 4, "lost": 7, "rates": 1,
		replay.LackCut: 1, replay.LackDecision: 1, replay.LackAsked: 1, replay.LackUnreadable: 1,
	}
	if got := why([]string{file}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestChecksOfThePolicyAreReplayed: what a handler asked the policy about an object is
// decided again with the logged attributes; what it asked a rule is not.
func TestChecksOfThePolicyAreReplayed(t *testing.T) {
	const text = `[request_definition]
r = sub, obj, act, owner
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = (p.sub != "owner" && g(r.sub, p.sub) || p.sub == "owner" && r.sub == r.owner) && keyMatch2(r.obj, p.obj) && r.act == p.act
`
	dir := t.TempDir()
	policy := func(name, lines string) *ask.Policy {
		file := filepath.Join(dir, name)
		must(t, os.WriteFile(file, []byte(lines), 0o600))
		a, err := casbinrules.Open(casbinrules.ModelText("model.conf", text), []string{file}, casbinrules.WithClaimsAsAttributes(), casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
		must(t, err)
		return &ask.Policy{Authorizer: a}
	}
	before, after := policy("old.csv", "p, owner, /reports/:id, PUT\n"), policy("new.csv", "p, owner, /drafts/:id, PUT\n")
	var log strings.Builder
	for i, record := range []struct{ outcome, owner, revision string }{
		{"allowed", "ann", before.Version().Revision}, {"forbidden", "ben", before.Version().Revision}, {"allowed", "ann", ""},
	} {
		revision := ""
		if record.revision != "" {
			revision = `"revision":"` + record.revision + `",`
		}
		fmt.Fprintf(&log, `{"v":1,"kind":"decision","seq":%d,"time":"2026-11-29T00:00:00Z","outcome":"%s","status":200,"gate":"check",%s`+
			`"request":{"principal":"ann","method":"PUT","action":"PUT","route":"/reports/:id","resource":"/reports/7","attributes":{"owner":"%s"}},"duration_us":3}`+"\n",
			i+1, record.outcome, revision, record.owner)
	}
	file := filepath.Join(dir, "log")
	must(t, os.WriteFile(file, []byte(log.String()), 0o600))
	r, err := replay.Run(t.Context(), []string{file}, replay.Settings{Old: before, New: after})
	must(t, err)
	if r.Compared != 2 || r.NotReproduced != 0 || len(r.Changes) != 1 || r.Changes[0].Gains || r.Changes[0].Count != 1 {
		t.Errorf("compared %d, not reproduced %d, changes %+v", r.Compared, r.NotReproduced, r.Changes)
	}
	if len(r.Lacks) != 1 || r.Lacks[0].Why != replay.LackRules || r.Lacks[0].Count != 1 {
		t.Errorf("lacks %+v", r.Lacks)
	}
}

// TestMethodsThatTheGuardRefused: with Casbin's semantics "*" is any method, but the guard
// lets an unusual one pass only if a rule names it.
func TestMethodsThatTheGuardRefused(t *testing.T) {
	t.Parallel()
	before, _ := open(t, "p, ann, /reports/:id, *, allow\n", casbinrules.WithCasbinSemantics())
	after, _ := open(t, "p, ann, /reports/:id, *, allow\np, ann, /reports/:id, TRACE, allow\n", casbinrules.WithCasbinSemantics())
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	l, err := decisionlog.Open(name)
	must(t, err)
	g, err := core.NewGuard([]core.Authenticator{scheme{}}, core.WithAuthorizer(before.Authorizer), core.WithObserver(l))
	must(t, err)
	gate, err := g.Authorize()
	must(t, err)
	ann, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann"})
	must(t, err)
	gate.Check(t.Context(), asked{method: "TRACE", route: "/reports/:id", path: "/reports/7", principal: ann})
	must(t, l.Close())
	for _, tt := range []struct {
		old, new *ask.Policy
		gains    int
	}{{nil, before, 0}, {before, before, 0}, {nil, after, 1}, {before, after, 1}} {
		r, err := replay.Run(t.Context(), []string{name}, replay.Settings{Old: tt.old, New: tt.new})
		must(t, err)
		if r.Compared != 1 || r.NotReproduced != 0 || len(r.Changes) != tt.gains {
			t.Errorf("compared %d, not reproduced %d, changes %+v", r.Compared, r.NotReproduced, r.Changes)
		}
	}
}

// BenchmarkReplay measures repeated requests, as in real traffic, and distinct ones, with
// policies of two sizes.
func BenchmarkReplay(b *testing.B) {
	for _, rules := range []int{1_000, 100_000} {
		roles := rules / 50
		policies := [2]strings.Builder{}
		for i := range rules / 2 {
			method := [...]string{"GET", "POST", "PATCH", "DELETE"}
			fmt.Fprintf(&policies[0], "p, role%d, /api/res%d/:id, %s, allow\n", i%roles, i/roles, method[i%4])
			fmt.Fprintf(&policies[1], "p, role%d, /api/res%d/:id, %s, allow\n", i%roles, i/roles, method[(i+i%97/96)%4])
			for k := range policies {
				fmt.Fprintf(&policies[k], "g, user%d, role%d\n", i, (i+k*(i%101/100))%roles)
			}
		}
		quiet := casbinrules.WithLogger(slog.New(slog.DiscardHandler))
		before, _ := open(b, policies[0].String(), quiet)
		after, _ := open(b, policies[1].String(), quiet)
		for _, kinds := range []int{20_000, 500_000} {
			b.Run(fmt.Sprintf("rules=%d/kinds=%d", rules, kinds), func(b *testing.B) {
				const lines = 500_000
				random := rand.New(rand.NewPCG(7, 11))
				var log bytes.Buffer
				for i := range lines {
					kind := i
					if kinds < lines {
						kind = random.IntN(kinds)
					}
					user, res, method := kind%(rules/2), kind%25, [...]string{"GET", "GET", "POST", "PATCH", "DELETE"}[kind%5]
					fmt.Fprintf(&log, `{"v":1,"kind":"decision","seq":%d,"time":"2026-11-29T01:02:03.%06dZ","outcome":"allowed","status":200,"reason":"allowed","gate":"authorize","scheme":"Bearer","rule":"policy.csv:7","revision":"9f2c1d7e8a6b4c3d2e1f0a9b8c7d6e5f",`+
						`"request":{"principal":"user%d","policy_roles":["role%d"],"method":"%s","action":"%s","route":"/api/res%d/:id","resource":"/api/res%d/%d"},"duration_us":7,"client":"192.0.2.7","request_id":"%016x","trace_id":"%032x"}`+"\n",
						i+1, i, user, user%roles, method, method, res, res, kind, i, i)
				}
				file := filepath.Join(b.TempDir(), "log")
				must(b, os.WriteFile(file, log.Bytes(), 0o600))
				log = bytes.Buffer{}
				var read uint64
				for b.Loop() {
					r, err := replay.Run(b.Context(), []string{file}, replay.Settings{Old: before, New: after})
					must(b, err)
					if r.Compared != lines || len(r.Changes) == 0 {
						b.Fatalf("%d compared, %d changes", r.Compared, len(r.Changes))
					}
					read += r.Lines
				}
				b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "lines/s")
			})
		}
	}
}
