package core_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	rules "github.com/sallyport-go/sallyport/core/rule"
)

var pseudonymKey = []byte("0123456789abcdef0123456789abcdef")

func newPseudonyms(t testing.TB, key string) *core.Pseudonyms {
	t.Helper()
	p, err := core.NewPseudonyms([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPseudonyms(t *testing.T) {
	one, other := newPseudonyms(t, string(pseudonymKey)), newPseudonyms(t, "fedcba9876543210fedcba9876543210")
	erin := one.Of("erin@example.com")
	if erin != one.Of("erin@example.com") || erin == one.Of("bob@example.com") || len(erin) != 30 || erin[0] != '~' {
		t.Errorf("pseudonym %q", erin)
	}
	if erin[:6] != one.Of("bob")[:6] || erin[:6] == other.Of("bob")[:6] {
		t.Error("pseudonyms do not tell their key")
	}
	if erin[6:] == other.Of("erin@example.com")[6:] || one.Of("") != "" {
		t.Error("a pseudonym does not depend on the key")
	}
	for _, opts := range [][]core.Option{
		{core.WithPseudonyms(pseudonymKey[:31])}, {core.WithPseudonyms(pseudonymKey), core.WithPseudonyms(pseudonymKey)}, {core.WithClientAddress(nil)},
	} {
		if _, err := core.NewGuard([]core.Authenticator{newScheme(t, "Basic")}, opts...); err == nil {
			t.Error("no error")
		}
	}
}

// routed is a request that matched a pattern.
type routed struct {
	*request
	pattern string
}

func (r routed) Route() (core.Route, error) {
	route, err := r.request.Route()
	route.Pattern = r.pattern
	return route, err
}

// marker must be in no log line, wherever a client has put it.
const marker = "erin@example.com"

// TestPseudonymsCoverEverything puts an address in every place that a client, a principal,
// a rule or an error can fill, and looks for it in everything that observers and the log
// get.
func TestPseudonymsCoverEverything(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	var seen strings.Builder
	observer := core.ObserverFunc(func(_ context.Context, e core.Event) {
		fmt.Fprintf(&seen, "%v %+v %#v %q %v\n", e.Cause, e.Cause, e.Cause, slices.Collect(e.Roles()), e.Reason)
		fmt.Fprintln(&seen, e.PrincipalID, e.Method, e.Route, e.Resource, e.Rule, e.RequestID, e.TraceID, e.ClientAddr(), e.Scheme)
		for err := e.Cause; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintln(&seen, err)
		}
		var bad *core.CredentialError
		var internal *core.InternalError
		var down *core.UnavailableError
		var panicked *core.PanicError
		if errors.As(e.Cause, &bad) || errors.As(e.Cause, &internal) || errors.As(e.Cause, &down) {
			t.Errorf("the cause hands out %v, %v, %v", bad, internal, down)
		}
		if errors.As(e.Cause, &panicked) {
			fmt.Fprintln(&seen, panicked, panicked.Value, string(panicked.Stack))
		}
		panic(marker)
	})
	erin := newPrincipal(t, core.PrincipalInfo{ID: marker, Roles: []string{"friends of " + marker}, Scopes: []string{marker}, Tenant: marker,
		Claims: map[string]any{"email": marker}})
	errs := map[string]error{
		"credential": &core.CredentialError{Reason: core.ReasonWrongSecret, Err: errors.New("no user " + marker)},
		"reason":     &core.CredentialError{Reason: marker, Err: errors.New(marker)},
		"down":       &core.UnavailableError{Err: errors.New(marker)},
		"internal":   &core.InternalError{Err: errors.New(marker)},
		"other":      errors.New(marker),
		"ambiguous":  fmt.Errorf("%s: %w", marker, core.ErrAmbiguousCredentials),
		"limit":      &core.LimitError{Err: errors.New(marker)},
	}
	s := newScheme(t, "Basic")
	for name, err := range errs {
		s.answers[name] = answer{err: err}
	}
	s.answers["erin"] = answer{p: erin}
	g, err := core.NewGuard([]core.Authenticator{s}, core.WithObserver(observer), core.WithObserver(core.LogObserver(logger)),
		core.WithLogger(logger), core.WithPseudonyms(pseudonymKey),
		core.WithClientAddress(func(core.Request) (netip.Addr, error) { return netip.MustParseAddr("192.0.2.77"), errors.New(marker) }),
		core.WithResponder(core.ResponderFunc(func(core.Request, *core.Denial) core.Response { panic(marker) })))
	if err != nil {
		t.Fatal(err)
	}
	gates := map[string]*core.Gate{"one": mounted(t)(g.Authenticate())}
	for name, dec := range map[string]core.Decision{
		"denied by text":   {Reason: core.ReasonDenied, Rule: "owner is " + marker},
		"denied by quote":  {Reason: core.ReasonDenied, Rule: fmt.Sprintf("rule.Role(%q)", marker)},
		"denied by reason": {Reason: marker},
		"allowed":          {Allowed: true, Reason: marker, Rule: marker},
	} {
		gates[name] = mounted(t)(g.Require(answering(dec, nil)))
	}
	gates["owner"] = mounted(t)(g.Require(rules.All(rules.Owner(marker), rules.Role(marker))))
	gates["failing"] = mounted(t)(g.Require(answering(core.Decision{Rule: marker}, errors.New(marker))))
	for name, gate := range gates {
		for _, credentials := range []string{"erin", "credential", "reason", "down", "internal", "other", "ambiguous", "limit", "panic", marker} {
			for _, path := range []string{"/" + marker, "/reports/" + marker + "/7"} {
				for _, method := range []string{"GET", marker} {
					r := get(path, "Authorization: Basic "+credentials, "X-Request-Id: "+marker, "Traceparent: 00-"+marker+"-7")
					gate.Check(t.Context(), routed{r.with(method), "/reports/{id}/{page}"})
				}
			}
		}
		if log.Len() == 0 {
			t.Fatalf("%s: nothing was logged", name)
		}
	}
	for _, err := range errs {
		_, _ = g.SignIn(t.Context(), get("/login").with("POST"), marker, func(context.Context) (*core.Principal, error) { return erin, err })
	}
	_, _ = g.SignIn(t.Context(), get("/login").with("POST"), marker, func(context.Context) (*core.Principal, error) { panic(marker) })
	for name, text := range map[string]string{"observer": seen.String(), "log": log.String()} {
		for _, personal := range []string{"erin", "example.com", "192.0.2"} {
			if i := strings.Index(text, personal); i >= 0 {
				t.Errorf("the %s has %q: %s", name, personal, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}

// Values that are not about a person stay readable, and a person has the same pseudonym
// everywhere.
func TestPseudonymsKeepWhatIsNotPersonal(t *testing.T) {
	p := newPseudonyms(t, string(pseudonymKey))
	alice := p.Of("alice")
	s := newScheme(t, "Basic")
	g, o := newGuard(t, []core.Authenticator{s}, core.WithPseudonyms(pseudonymKey))
	gate := mounted(t)(g.Require(answering(core.Decision{Rule: "rule.All(rule.Role(\"alice\"), rule.MaxAge(5m0s)), policy/rules.csv:12", Revision: "1f"}, nil)))
	const id = "8c5f7b5e-93c0-4f0f-9f53-1b8f2d1c2b11"
	gate.Check(t.Context(), routed{get("/reports/alice", "Authorization: Basic alice", "X-Request-Id: "+id), "/reports/{id}"})
	e := o.last(t)
	if e.PrincipalID != alice || e.Revision != "1f" || e.RequestID != id || e.Method != "GET" || e.Reason != core.ReasonDenied || e.Scheme != "Basic" {
		t.Errorf("%+v", e)
	}
	if want := fmt.Sprintf("rule.All(rule.Role(%q), rule.MaxAge(5m0s)), policy/rules.csv:12", alice); e.Rule != want {
		t.Errorf("rule %s, want %s", e.Rule, want)
	}
	if e.Resource != "/reports/"+alice || e.ClientAddr() != p.Of("192.0.2.1") {
		t.Errorf("resource %q, client %q", e.Resource, e.ClientAddr())
	}
	if roles := slices.Collect(e.Roles()); len(roles) != 1 || roles[0] != p.Of("viewer") {
		t.Errorf("roles %q", roles)
	}
	gate.Check(t.Context(), get("/reports/7", "Authorization: Basic down"))
	if e = o.last(t); !errors.Is(e.Cause, errDown) || !strings.HasPrefix(e.Cause.Error(), "error: ~") {
		t.Errorf("cause %v", e.Cause)
	}
}

// A path with thousands of segments costs no thousands of pseudonyms.
func TestPseudonymsOfALongPath(t *testing.T) {
	p := newPseudonyms(t, string(pseudonymKey))
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithPseudonyms(pseudonymKey))
	gate := mounted(t)(g.Optional())
	of := func(path string) string {
		gate.Check(t.Context(), routed{get(path), "/files/{path...}"})
		return o.last(t).Resource
	}
	long := "/files" + strings.Repeat("/a", 4000)
	got := of(long)
	if want := "/files" + strings.Repeat("/"+p.Of("a"), 30) + "/" + p.Of("a"+strings.Repeat("/a", 4000-31)); got != want {
		t.Errorf("%d bytes, want %d: %.100s", len(got), len(want), got)
	}
	if of(long[:len(long)-1]+"b") == got {
		t.Error("two paths have one pseudonym")
	}
	if got, want := of("/files"+strings.Repeat("/a", 31)), "/files"+strings.Repeat("/"+p.Of("a"), 31); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A refusal by policy shows what it was decided with.
func TestEventsOfRefusals(t *testing.T) {
	var log bytes.Buffer
	s := newScheme(t, "Basic")
	s.answers["alice"] = answer{p: newPrincipal(t, core.PrincipalInfo{ID: "alice", Roles: []string{"viewer"}, Tenant: "acme"})}
	g, o := newGuard(t, []core.Authenticator{s}, core.WithObserver(core.LogObserver(slog.New(slog.NewTextHandler(&log, nil)))))
	mounted(t)(g.Require(answering(core.Decision{Reason: "no_rule_matched", Revision: "1f"}, nil))).Check(t.Context(), get("/reports/7", "Authorization: Basic alice"))
	if e := o.last(t); fmt.Sprint(slices.Collect(e.Roles())) != "[viewer]" || e.Revision != "1f" || e.ClientAddr() != "192.0.2.1" {
		t.Errorf("roles %v, event %+v", slices.Collect(e.Roles()), e)
	}
	byPolicy := answering(core.Decision{Allowed: true, Rule: "policy.csv:3", Revision: "1f"}, nil)
	mounted(t)(g.Require(allowing(), byPolicy, allowing())).Check(t.Context(), get("/reports/7", "Authorization: Basic alice"))
	if e := o.last(t); e.Rule != "policy.csv:3" || e.Revision != "1f" || e.Outcome != core.OutcomeAllowed {
		t.Errorf("rule %q, revision %q", e.Rule, e.Revision)
	}
	for _, want := range []string{" tenant=acme ", " roles=viewer ", " revision=1f ", " client=192.0.2.1 "} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in %s", want, log.String())
		}
	}
}

// The key cannot be printed, not even by mistake.
func TestPseudonymsDoNotPrintTheirKey(t *testing.T) {
	p, err := core.NewPseudonyms(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%v %+v %#v", p, *p, p)
	for _, key := range []string{"107 107", "kk", "6b6b", "0x6b"} {
		if strings.Contains(out, key) {
			t.Errorf("%q in %s", key, out)
		}
	}
}
