package casbinrules

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/explain"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestExplanationsEqualDecisions compares every explanation with Authorize and with
// Casbin's own EnforceEx. Its chain must consist of existing role links, and its near
// misses of rules that match except for one thing.
func TestExplanationsEqualDecisions(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	for _, f := range families() {
		t.Run(f.Name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 2))
			for range max(2, cases(10)) {
				f.explain(t, rnd)
			}
		})
	}
}

func (f family) explain(t *testing.T, rnd *rand.Rand) {
	t.Helper()
	lines := f.Policy(rnd)
	var opts []Option
	if !f.TokenRoles {
		opts = append(opts, WithoutTokenRoles())
	}
	if rnd.IntN(2) == 0 {
		opts = append(opts, WithCasbinSemantics())
	}
	a := open(t, ModelText("model.conf", f.Text), strings.Join(lines, "\n"), opts...)
	for range 8 {
		var roles []string
		if f.TokenRoles && rnd.IntN(2) == 0 {
			roles = append(roles, pick(rnd, []string{"r0", "r1", "x"}))
		}
		p := tenantOf(t, pick(rnd, []string{"t1", "t2", "t3"}), pick(rnd, []string{"u0", "u1", "root", "ghost", "c0"}), roles...)
		access := to(pick(rnd, policygen.PlainActions), pick(rnd, policygen.PlainObjects))
		e := explained(t, a, p, access, WithMaxNearMisses(100))
		if d := decide(t, a, p, access); e.Decision().Allowed != d.Allowed || e.Reason != d.Reason || e.Decision().Rule != d.Rule {
			t.Fatalf("explained %+v, decided %+v", e.Decision(), d)
		}
		allowed, rule := f.oracle(t, lines, p, access)
		if e.Allowed != allowed || !slices.Equal(ruleFields(t, lines, e.Decision().Rule), rule) {
			t.Fatalf("explained %s, casbin says %v by %q", e, allowed, rule)
		}
		checkChain(t, e, lines, p)
		for _, m := range e.NearMisses {
			f.checkMiss(t, a, lines, p, access, m)
		}
	}
}

// checkChain follows the chain from the subject to the subject of the rule.
func checkChain(t *testing.T, e Explanation, lines []string, p *core.Principal) {
	t.Helper()
	if e.Rule == nil {
		if e.Chain != nil {
			t.Fatalf("a chain and no rule: %s", e)
		}
		return
	}
	at := p.ID()
	for _, link := range e.Chain {
		if link.From != at {
			t.Fatalf("the chain jumps: %s", e)
		}
		at = link.To
		if link.Rule == nil {
			if !slices.Contains(slices.Collect(p.CredentialRoles()), link.To) {
				t.Fatalf("the credentials do not bring %s: %s", link.To, e)
			}
			continue
		}
		if want := "g, " + link.From + ", " + link.To; link.Rule.Text != lines[link.Rule.Line-1] || !strings.HasPrefix(link.Rule.Text, want) {
			t.Fatalf("no link %q at line %d: %s", want, link.Rule.Line, e)
		}
	}
	everybody := func(note string) bool { return strings.HasSuffix(note, "so lines count whatever their sub may be") }
	if fields := strings.Split(e.Rule.Text, ", "); !slices.Contains(fields, at) && at != "root" && p.ID() != "root" && !slices.ContainsFunc(e.Notes, everybody) {
		t.Fatalf("the chain ends at %s, which the rule does not name: %s", at, e)
	}
}

// checkMiss asks a policy that has only the near miss's line and the role links for what
// the near miss says would be allowed.
func (f family) checkMiss(t *testing.T, a *Authorizer, lines []string, p *core.Principal, access core.Access, m NearMiss) {
	t.Helper()
	if m.Rule.Text != lines[m.Rule.Line-1] || !strings.Contains(m.Text, "policy.csv:") {
		t.Fatalf("near miss %+v", m)
	}
	var kept []string
	for i, line := range lines {
		if i == m.Rule.Line-1 || strings.HasPrefix(line, "g") {
			kept = append(kept, line)
		}
	}
	if allowed, _ := f.oracle(t, kept, p, access); allowed {
		t.Fatalf("the rule of the near miss %+v allows it", m)
	}
	rules := a.current.Load().Rules
	r := rules.At(rules.Search(0, m.Rule.Line))
	probe, err := explain.NewProbe(&a.current.Load().Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	x := &explain.Explainer{Snapshot: &a.current.Load().Snapshot, Settings: &a.config.Settings, Probe: probe}
	switch m.Miss {
	case MissSubject:
		// Everyone for whom the rule is would be allowed.
		if strings.Contains(f.Text, "!g") {
			return // unless the matcher has something against them, too
		}
		p = tenantOf(t, p.Tenant(), x.Column(r, model.FieldSubject))
	case MissTenant:
		p = tenantOf(t, x.Column(r, model.FieldTenant), p.ID(), slices.Collect(p.CredentialRoles())...)
	case MissAction:
		action := x.Column(r, model.FieldAction)
		if strings.ContainsAny(action, "|^") {
			return // a pattern has no one action
		}
		access.Action = action
	default:
		return // a pattern has no one object
	}
	if allowed, _ := f.oracle(t, kept, p, access); !allowed {
		t.Fatalf("%s with %s: the near miss %+v is further away", p.ID(), access.Action, m)
	}
}

// The conditions taken together are the matcher.
func TestConditionsTogetherAreTheMatcher(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, f := range families() {
		a := open(t, ModelText("model.conf", f.Text), strings.Join(f.Policy(rnd), "\n"), WithoutTokenRoles())
		s := &a.current.Load().Snapshot
		p, err := explain.NewProbe(s)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if p.Terms == nil {
			continue
		}
		for _, r := range s.Rules.All() {
			if r.Kind() != "p" {
				continue
			}
			q := engine.Request{Subject: "u0", Tenant: "t1", Object: pick(rnd, policygen.PlainObjects), Action: "GET"}
			whole, err := p.Matches(&q, r)
			failed, err2 := p.Failing(&q, r)
			if err != nil || err2 != nil || whole != (len(failed) == 0) {
				t.Errorf("%s: %s for %+v: matches %v, %d conditions fail: %v, %v", f.Name, r.Text(), q, whole, len(failed), err, err2)
			}
		}
	}
}

func TestExplainQueryEqualsExplain(t *testing.T) {
	a := open(t, RBACWithDeny(), reports+"p, author, /reports, publish, allow\np, admin, /reports, seal, deny\n", WithAnonymous())
	for _, q := range []Query{
		{Subject: "erin", Object: "/reports", Action: "GET"},
		{Subject: "t-1", Roles: []string{"viewer"}, Object: "/files/secret/a", Action: "HEAD"},
		{Object: "/reports", Action: "GET"},
		{Subject: "alice", Object: "/x", Action: "TRACE"},
		{Subject: "alice", Object: "", Action: "GET"},
	} {
		got, err := a.ExplainQuery(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var p *core.Principal
		if q.Subject != "" {
			p = who(t, q.Subject, q.Roles...)
		}
		if want := explained(t, a, p, to(q.Action, q.Object)); got.String() != want.String() || got.Version != a.Version().Hash || want.Version != got.Version {
			t.Errorf("%+v: got\n%s\nwant\n%s", q, got, want)
		}
	}
	// "*" covers an action that the application named, and no unusual method.
	named, err := a.ExplainQuery(t.Context(), Query{Subject: "alice", Object: "/reports", Action: "archive", Named: true})
	if err != nil || !named.Allowed {
		t.Errorf("named: %s, %v", named, err)
	}
	sealed, err := a.ExplainQuery(t.Context(), Query{Subject: "alice", Object: "/reports", Action: "seal", Named: true})
	if err != nil || sealed.Allowed || sealed.Overrides == nil || sealed.Overrides.Line != 2 {
		t.Errorf("named and denied: %s, %v", sealed, err)
	}
	for name, q := range map[string]Query{"roles of nobody": {Roles: []string{"a"}, Object: "/", Action: "GET"}, "tenant of nobody": {Tenant: "t"}} {
		if _, err := a.ExplainQuery(t.Context(), q); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := a.ExplainQuery(t.Context(), Query{Subject: "u", Object: "/", Action: "GET"}, WithMaxNearMisses(-1)); err == nil {
		t.Error("a negative number of near misses: no error")
	}
	if _, err := a.ExplainQuery(t.Context(), Query{Subject: "u", Object: "/", Action: "GET"}, nil); err == nil {
		t.Error("a nil option: no error")
	}
}

func TestExplainFailsAsTheDecisionDoes(t *testing.T) {
	a := open(t, RBAC(), annReads)
	s := *a.current.Load()
	s.Engine, s.Index = failing{}, nil
	a.current.Store(&s)
	var internal *core.InternalError
	if _, err := a.Explain(t.Context(), who(t, "ann"), to("GET", "/x")); !errors.As(err, &internal) {
		t.Errorf("got %v", err)
	}
}

// failing is an engine that cannot decide.
type failing struct{}

func (failing) Decide(*engine.Request) (engine.Answer, error) {
	return engine.Answer{}, errors.New("broken")
}

func TestExplanationsAreJSONForTools(t *testing.T) {
	a := open(t, RBACWithDeny(), reports)
	e := explained(t, a, who(t, "t-1", "editor"), to("PATCH", "/reports/7"), WithMaxNearMisses(1))
	e.Version = "hash"
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"subject":"t-1","roles":["editor"],"object":"/reports/7","action":"PATCH","allowed":false,"reason":"no_rule_matched","why":"no rule allows it",` +
		`"near_misses":[{"miss":"action","rule":{"file":"policy.csv","line":5,"text":"p, editor, /reports/:id, PUT, allow"},"text":"t-1 has PUT on /reports/:id at policy.csv:5, not PATCH"}],"engine":"index","version":"hash"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestExplanationsHoldNoForgedLines(t *testing.T) {
	a := open(t, RBACWithDeny(), reports)
	const evil = "\n\u202eallow"
	e := explained(t, a, who(t, "m"+evil, "r"+evil), to("GET"+evil, "/x"+evil))
	if got := e.String(); strings.ContainsAny(strings.ReplaceAll(got, "\n  ", ""), "\n\u202e") {
		t.Errorf("H20: got %q", got)
	}
}

// ruleFields returns the fields of the line that a decision names.
func ruleFields(t *testing.T, lines []string, rule string) []string {
	t.Helper()
	if rule == "" {
		return []string{}
	}
	var n int
	if _, err := fmt.Sscanf(rule, "policy.csv:%d", &n); err != nil {
		t.Fatalf("rule %q: %v", rule, err)
	}
	return strings.Split(lines[n-1], ", ")[1:]
}
