package replay_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	stringadapter "github.com/casbin/casbin/v2/persist/file-adapter"

	"github.com/sallyport-go/sallyport/casbinrules"
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

// open makes an authorizer of a policy, and its file.
func open(t testing.TB, text string, opts ...casbinrules.Option) (*casbinrules.Authorizer, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.csv")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	a, err := casbinrules.Open(casbinrules.RBACWithDeny(), []string{file}, opts...)
	must(t, err)
	return a, file
}

// asked is a request as tests make it up; the scheme reads who sends it.
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

// scheme believes requests.
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

// traffic writes a log of n random requests, as a guard with the policy decides
// them, in several files, and returns their names.
func traffic(t testing.TB, a core.Authorizer, n int, opts ...core.Option) []string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	l, err := decisionlog.Open(name, decisionlog.WithQueueSize(1000), decisionlog.WithMaxFileSize(4<<20))
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

// flat is a report, change by change and person by person.
func flat(r *replay.Report) map[string]uint64 {
	all := map[string]uint64{}
	for _, c := range r.Changes {
		for _, by := range c.By {
			all[fmt.Sprint(c.Gains, c.Action, c.Object, c.Rule, c.Old, by.Principal)] = by.Count
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

// TestEqualsBruteForce: the report is what deciding line by line finds, which for
// requests that Casbin knows in full is Casbin's own decision.
func TestEqualsBruteForce(t *testing.T) {
	t.Parallel()
	lines := 20_000
	if os.Getenv("SALLYPORT_REPLAY_LINES") == "million" {
		lines = 1_000_000
	}
	before, beforeFile := open(t, oldPolicy)
	after, afterFile := open(t, newPolicy)
	files := traffic(t, before, lines)
	r, err := replay.Run(t.Context(), files, replay.Settings{Old: before, New: after, Samples: 2})
	must(t, err)

	want, compared, lacking, asCasbin := map[string]uint64{}, uint64(0), map[string]uint64{}, 0
	casbinBefore, casbinAfter := enforcer(t, beforeFile), enforcer(t, afterFile)
	for _, name := range files {
		text, err := os.ReadFile(name)
		must(t, err)
		for line := range bytes.Lines(text) {
			record, err := decisionlog.Parse(bytes.TrimSpace(line))
			must(t, err)
			switch {
			case record.Kind != decisionlog.KindDecision:
				continue
			case record.Gate != "authorize":
				lacking[replay.LackGate]++
				continue
			}
			compared++
			q := record.Request
			b, a := decide(t, before, q), decide(t, after, q)
			if b.Allowed != (record.Outcome == core.OutcomeAllowed) {
				t.Fatalf("%s: the policy that has decided allows %t", line, b.Allowed)
			}
			if q.Principal != "" && q.TokenRoles == nil && q.Method != "HEAD" {
				asCasbin++
				for e, d := range map[*casbin.Enforcer]core.Decision{casbinBefore: b, casbinAfter: a} {
					if ok, err := e.Enforce(q.Principal, q.Resource, q.Action); err != nil || ok != d.Allowed {
						t.Fatalf("%s: Casbin allows %t, %v", line, ok, err)
					}
				}
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
			want[fmt.Sprint(a.Allowed, q.Action, q.Route, rule, old, who)]++
		}
	}
	if got := flat(r); fmt.Sprint(got) != fmt.Sprint(want) || len(want) < 20 || asCasbin < lines/3 {
		t.Errorf("%d changes, %d by Casbin\ngot  %v\nwant %v", len(want), asCasbin, got, want)
	}
	if r.Compared != compared || r.NotReproduced != 0 || len(r.Lacks) != 1 || r.Lacks[0].Count != lacking[replay.LackGate] || len(r.Lacks[0].Samples) != 2 {
		t.Errorf("compared %d of %d, not reproduced %d, lacks %+v", r.Compared, compared, r.NotReproduced, r.Lacks)
	}

	// Without the lines that decided nothing, everything is decided as before.
	if len(r.Unused) != 1 || !strings.Contains(r.Unused[0].Text, "/nobody/asks") {
		t.Errorf("unused: %v", r.Unused)
	}
	slim, _ := open(t, strings.Replace(newPolicy, "p, auditor, /nobody/asks, GET, allow\n", "", 1))
	if again, err := replay.Run(t.Context(), files, replay.Settings{Old: after, New: slim}); err != nil || len(again.Changes) > 0 {
		t.Errorf("without them: %v, %v", again.Changes, err)
	}
	// Compared with what the log says, it is the same.
	if logged, err := replay.Run(t.Context(), files, replay.Settings{New: after}); err != nil || fmt.Sprint(flat(logged)) != fmt.Sprint(want) {
		t.Errorf("against the log: %v, %v", flat(logged), err)
	}
}

func decide(t testing.TB, a *casbinrules.Authorizer, q *decisionlog.Request) core.Decision {
	t.Helper()
	access := core.Access{Action: q.Action, Resource: core.Resource{Path: q.Resource, Route: q.Route}}
	if q.Principal == "" {
		d, err := a.AuthorizeAnonymous(t.Context(), access)
		must(t, err)
		return d
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: q.Principal, Roles: q.TokenRoles})
	must(t, err)
	d, err := a.Authorize(t.Context(), p, access)
	must(t, err)
	return d
}

// TestLacks: what a log does not have is said, and not guessed.
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
		// Keys in another order, as another program writes them.
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

// BenchmarkReplay is about requests that come again, as they do in real traffic, and
// about ones of which no two are equal.
func BenchmarkReplay(b *testing.B) {
	before, _ := open(b, oldPolicy)
	after, _ := open(b, newPolicy)
	text, err := os.ReadFile(traffic(b, before, 20_000)[0])
	must(b, err)
	file := filepath.Join(b.TempDir(), "log")
	must(b, os.WriteFile(file, bytes.Repeat(text, 10), 0o600))
	var lines uint64
	for b.Loop() {
		r, err := replay.Run(b.Context(), []string{file}, replay.Settings{Old: before, New: after})
		must(b, err)
		lines += r.Lines
	}
	b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s")
}
