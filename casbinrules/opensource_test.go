package casbinrules_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/source"
)

// memory is a source in memory.
type memory struct {
	mu     sync.Mutex
	newest *source.Content
	down   error
	hint   func()
}

func (m *memory) Fetch(_ context.Context, known source.State) (source.Fetched, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.down != nil:
		return source.Fetched{}, m.down
	case m.newest == nil:
		return source.Fetched{}, source.ErrEmpty
	}
	got := source.Fetched{State: source.State{Revision: m.newest.Revision, Hash: m.newest.Hash()}}
	if got.State != known {
		got.Content = m.newest
	}
	return got, nil
}

func (m *memory) Listen(ctx context.Context, hint func()) error {
	m.mu.Lock()
	m.hint = hint
	m.mu.Unlock()
	hint()
	<-ctx.Done()
	return ctx.Err()
}

// publish makes files, given as alternating names and texts, the next revision.
func (m *memory) publish(t *testing.T, files ...string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	next := source.Revision(1)
	if m.newest != nil {
		next = m.newest.Revision + 1
	}
	var all []source.File
	for pair := range slices.Chunk(files, 2) {
		all = append(all, source.File{Name: pair[0], Content: []byte(pair[1])})
	}
	c, err := source.NewContent(next, all)
	if err != nil {
		t.Fatal(err)
	}
	m.newest = c
	if m.hint != nil {
		m.hint()
	}
}

func (m *memory) set(down error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
}

const (
	annMayRead  = "p, ann, /reports, GET\np, bob, /reports, GET\np, anonymous, /open, GET\n"
	annMayWrite = "p, ann, /reports, GET\np, ann, /reports, POST\n"
)

var quietly = casbinrules.WithLogger(slog.New(slog.DiscardHandler))

// sourced runs a test in virtual time on a policy from a source.
func sourced(t *testing.T, run func(t *testing.T, m *memory, a *casbinrules.Authorizer), opts ...casbinrules.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := new(memory)
		m.publish(t, "model.conf", casbinrules.RBAC().Text(), "policy.csv", annMayRead, "users", "ann:x")
		a, err := casbinrules.OpenSource(t.Context(), m, casbinrules.ModelFile("model.conf"), nil, append(opts, quietly)...)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = a.Close() }()
		synctest.Wait()
		run(t, m, a)
	})
}

// asks returns the decision about the method on /reports for a user.
func asks(t *testing.T, a *casbinrules.Authorizer, id, method string, roles ...string) (core.Decision, error) {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Scheme: "Basic", Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	return a.Authorize(t.Context(), p, core.Access{Action: method, Resource: core.Resource{Path: "/reports"}})
}

// decides fails the test unless the answer is want, by the revision.
func decides(t *testing.T, a *casbinrules.Authorizer, id, method string, want bool, revision string) {
	t.Helper()
	d, err := asks(t, a, id, method)
	if err != nil || d.Allowed != want || d.Revision != revision {
		t.Errorf("%s %s: %+v, %v; want allowed %v by revision %s", id, method, d, err, want, revision)
	}
}

func TestSourceIsFollowed(t *testing.T) {
	sourced(t, func(t *testing.T, m *memory, a *casbinrules.Authorizer) {
		decides(t, a, "ann", "POST", false, "1")
		m.publish(t, "model.conf", casbinrules.RBAC().Text(), "policy.csv", annMayWrite)
		if err := a.WaitFor(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		decides(t, a, "ann", "POST", true, "2")
		if v := a.Version(); v.Revision != "2" || len(v.Hash) != 64 || v.Rules != 2 {
			t.Errorf("%+v", v)
		}
		if st := a.Status(); st.Err != nil || st.Source.Revision != 2 || !st.Watching {
			t.Errorf("%+v", st)
		}
		// A revision in which only other files changed counts all the same.
		m.publish(t, "model.conf", casbinrules.RBAC().Text(), "policy.csv", annMayWrite, "users", "ann:y")
		synctest.Wait()
		decides(t, a, "ann", "POST", true, "3")
	})
}

// TestSourceKeepsTheLastGoodPolicy: a bad policy changes nothing, and is reported once.
func TestSourceKeepsTheLastGoodPolicy(t *testing.T) {
	var events []casbinrules.ReloadEvent
	observe := casbinrules.WithReloadObserver(func(_ context.Context, e casbinrules.ReloadEvent) { events = append(events, e) })
	sourced(t, func(t *testing.T, m *memory, a *casbinrules.Authorizer) {
		model := casbinrules.RBAC().Text()
		for i, files := range [][]string{
			{"model.conf", model, "policy.csv", "p, ann\n"},
			{"model.conf", model, "policy.csv", ""},
			{"model.conf", "[no model", "policy.csv", annMayWrite},
			{"model.conf", model},
			{"policy.csv", annMayWrite},
		} {
			events = nil
			m.publish(t, files...)
			time.Sleep(time.Minute)
			synctest.Wait()
			decides(t, a, "ann", "GET", true, "1")
			decides(t, a, "ann", "POST", false, "1")
			if len(events) != 1 || events[0].Outcome != casbinrules.ReloadRejected {
				t.Errorf("%d: told %+v", i, events)
			}
			if st := a.Status(); st.Err == nil || st.Source.Latest != source.Revision(i+2) || st.Source.Revision != 1 {
				t.Errorf("%d: %+v", i, st)
			}
			if err := a.Reload(t.Context()); err == nil {
				t.Errorf("%d: reload", i)
			}
		}
		m.publish(t, "model.conf", model, "policy.csv", annMayWrite)
		if err := a.WaitFor(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		decides(t, a, "ann", "POST", true, "7")
		if st := a.Status(); st.Err != nil {
			t.Errorf("%+v", st)
		}
	}, observe)
}

// TestSourceOutage: the policy in force goes on deciding, and observers are told of the
// beginning and the end.
func TestSourceOutage(t *testing.T) {
	var outcomes []casbinrules.ReloadOutcome
	observe := casbinrules.WithReloadObserver(func(_ context.Context, e casbinrules.ReloadEvent) { outcomes = append(outcomes, e.Outcome) })
	sourced(t, func(t *testing.T, m *memory, a *casbinrules.Authorizer) {
		m.set(errors.New("no route to host"))
		time.Sleep(time.Hour)
		decides(t, a, "ann", "GET", true, "1")
		if st := a.Status(); st.Source.Err == nil || st.Source.Age() < 59*time.Minute {
			t.Errorf("%+v", st)
		}
		m.set(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := []casbinrules.ReloadOutcome{casbinrules.ReloadFailed, casbinrules.ReloadUnchanged}; !slices.Equal(outcomes, want) {
			t.Errorf("told %v, want %v", outcomes, want)
		}
	}, observe)
}

// TestStaleModes: past the bound each mode does what it promises, and all decide as before
// once the source is back.
func TestStaleModes(t *testing.T) {
	for _, mode := range []casbinrules.StaleMode{casbinrules.StaleServe, casbinrules.StaleUnavailable, casbinrules.StaleKnownOnly} {
		t.Run(string(mode), func(t *testing.T) {
			var outcomes []casbinrules.ReloadOutcome
			sourced(t, func(t *testing.T, m *memory, a *casbinrules.Authorizer) {
				decides(t, a, "ann", "GET", true, "1")
				m.set(errors.New("no route to host"))
				time.Sleep(20 * time.Second)
				decides(t, a, "ann", "GET", true, "1")
				time.Sleep(time.Minute)
				known, err := asks(t, a, "ann", "GET")
				other, otherErr := asks(t, a, "bob", "GET")
				roles, _ := asks(t, a, "ann", "GET", "visitor") // with other roles it is another question
				denied, _ := asks(t, a, "ann", "POST")
				head, headErr := asks(t, a, "ann", "HEAD")
				anybody, anybodyErr := a.AuthorizeAnonymous(t.Context(), core.Access{Action: "GET", Resource: core.Resource{Path: "/open"}})
				if anybody.Allowed != other.Allowed || (anybodyErr == nil) != (otherErr == nil) {
					t.Errorf("without credentials %+v, %v; other %+v, %v", anybody, anybodyErr, other, otherErr)
				}
				if head.Allowed != known.Allowed || (headErr == nil) != (err == nil) {
					t.Errorf("HEAD %+v, %v; GET %+v, %v", head, headErr, known, err)
				}
				if found, err := a.Filter(t.Context(), nil, casbinrules.Action{Name: "GET"}, []string{"/open"}); (err == nil) != (otherErr == nil) || len(found) == 1 != other.Allowed || other.Revision != "1" {
					t.Errorf("filtered %q, %v; other %+v, %v", found, err, other, otherErr)
				}
				list, listErr := a.Objects(t.Context(), nil, casbinrules.Action{Name: "GET"})
				_, whoErr := a.Subjects(t.Context(), "", "/reports", casbinrules.Action{Name: "GET"})
				if serves := otherErr == nil; serves != (listErr == nil) || serves != (list != nil) || serves != (whoErr == nil) {
					t.Errorf("listed %+v, %v and %v; other %+v, %v", list, listErr, whoErr, other, otherErr)
				}
				switch mode {
				case casbinrules.StaleServe:
					if !known.Allowed || !other.Allowed || err != nil || otherErr != nil {
						t.Errorf("known %+v, other %+v", known, other)
					}
				case casbinrules.StaleUnavailable:
					var u *core.UnavailableError
					if !errors.As(err, &u) || u.Reason != casbinrules.ReasonPolicyStale || known.Allowed || other.Allowed {
						t.Errorf("known %+v, %v", known, err)
					}
				case casbinrules.StaleKnownOnly:
					var u *core.UnavailableError // an outage is neither 401 nor 403
					if !known.Allowed || err != nil || other.Allowed || !errors.As(otherErr, &u) || other.Reason != casbinrules.ReasonPolicyStale || roles.Allowed {
						t.Errorf("known %+v, other %+v, %v, with other roles %+v", known, other, otherErr, roles)
					}
				}
				if denied.Allowed {
					t.Errorf("what the policy refuses is allowed: %+v", denied)
				}
				if st := a.Status(); !st.Source.Stale || !slices.Contains(outcomes, casbinrules.ReloadStale) {
					t.Errorf("not told: %+v, %v", st, outcomes)
				}
				m.set(nil)
				time.Sleep(time.Second)
				synctest.Wait()
				decides(t, a, "bob", "GET", true, "1")
				if last := outcomes[len(outcomes)-1]; last != casbinrules.ReloadUnchanged {
					t.Errorf("told last of %s", last)
				}
			}, casbinrules.WithMaxStaleness(30*time.Second, mode), casbinrules.WithAnonymous(),
				casbinrules.WithReloadObserver(func(_ context.Context, e casbinrules.ReloadEvent) { outcomes = append(outcomes, e.Outcome) }))
		})
	}
}

// TestKnownQuestionsHaveTheirAttributes: an earlier answer is known only for the attribute
// values with which it was asked, at gates and in lists (H10).
func TestKnownQuestionsHaveTheirAttributes(t *testing.T) {
	const model = "[request_definition]\nr = sub, obj, act, region%s\n[policy_definition]\np = sub, obj, act\n" +
		"[role_definition]\ng = _, _\n[policy_effect]\ne = some(where (p.eft == allow))\n" +
		"[matchers]\nm = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.region != \"us\"%s\n"
	ann := func(region string) *core.Principal {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann", Scheme: "Bearer", Claims: map[string]any{"region": region}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	type decides func(t *testing.T, a *casbinrules.Authorizer, region, owner string) (bool, error)
	gate := func(t *testing.T, a *casbinrules.Authorizer, region, owner string) (bool, error) {
		by := core.Authorizer(a)
		if owner != "" {
			by = a.About(map[string]string{"owner": owner})
		}
		d, err := by.Authorize(t.Context(), ann(region), core.Access{Action: "GET", Resource: core.Resource{Path: "/reports"}})
		return d.Allowed, err
	}
	list := func(t *testing.T, a *casbinrules.Authorizer, region, _ string) (bool, error) {
		objects, err := a.Filter(t.Context(), ann(region), casbinrules.Action{Name: "GET"}, []string{"/reports"})
		return len(objects) == 1, err
	}
	for _, c := range []struct {
		name, field    string
		ask, again     decides
		region, owner  string // of the second question; of the first one "eu" and "bob"
		allowed, stale bool
	}{
		{name: "the same", ask: gate, again: gate, region: "eu", allowed: true},
		{name: "the same in a list", ask: list, again: list, region: "eu", allowed: true},
		{name: "the same in a list after a gate", ask: gate, again: list, region: "eu", allowed: true},
		{name: "another claim", ask: gate, again: gate, region: "ap", stale: true},
		{name: "another claim in a list", ask: list, again: list, region: "ap", stale: true},
		{name: "a claim that the policy refuses", ask: gate, again: gate, region: "us"},
		{name: "the same object", field: "owner", ask: gate, again: gate, region: "eu", owner: "bob", allowed: true},
		{name: "another claim, the same object", field: "owner", ask: gate, again: gate, region: "ap", owner: "bob", stale: true},
		{name: "another object", field: "owner", ask: gate, again: gate, region: "eu", owner: "carol", stale: true},
		{name: "an object of which nothing is said", field: "owner", ask: gate, again: gate, region: "eu", stale: true},
		{name: "the values the other way round", field: "owner", ask: gate, again: gate, region: "bob", owner: "eu", stale: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := []casbinrules.Option{quietly, casbinrules.WithClaimAttribute("region", "region"),
					casbinrules.WithMaxStaleness(30*time.Second, casbinrules.StaleKnownOnly)}
				owner, text := "", fmt.Sprintf(model, "", "")
				if c.field != "" {
					owner, text = "bob", fmt.Sprintf(model, ", owner", " && r.owner != \"eve\"")
					opts = append(opts, casbinrules.WithObjectAttributeOr("owner", ""))
				}
				m := new(memory)
				m.publish(t, "model.conf", text, "policy.csv", annMayRead)
				a, err := casbinrules.OpenSource(t.Context(), m, casbinrules.ModelFile("model.conf"), nil, opts...)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = a.Close() }()
				synctest.Wait()
				if allowed, err := c.ask(t, a, "eu", owner); err != nil || !allowed {
					t.Fatalf("confirmed: %t, %v", allowed, err)
				}
				m.set(errors.New("no route to host"))
				time.Sleep(2 * time.Minute)
				allowed, err := c.again(t, a, c.region, c.owner)
				var stale *core.UnavailableError
				if allowed != c.allowed || errors.As(err, &stale) != c.stale || !c.stale && err != nil {
					t.Errorf("allowed %t, %v", allowed, err)
				}
			})
		})
	}
}

// TestNotKept: a last good file that cannot be written is reported once, however often that
// fails, and again once it can be written.
func TestNotKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	var told []casbinrules.ReloadEvent
	sourced(t, func(t *testing.T, m *memory, a *casbinrules.Authorizer) {
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(told) != 1 || told[0].Outcome != casbinrules.ReloadNotKept || !errors.Is(told[0].Err, fs.ErrNotExist) {
			t.Fatalf("%+v", told)
		}
		decides(t, a, "ann", "GET", true, "1")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(told) != 2 || told[1].Outcome != casbinrules.ReloadUnchanged || told[1].Err != nil {
			t.Errorf("%+v", told[1:])
		}
	}, casbinrules.WithSourceOptions(source.WithLastGoodFile(filepath.Join(dir, "policy.json"))),
		casbinrules.WithReloadObserver(func(_ context.Context, e casbinrules.ReloadEvent) { told = append(told, e) }))
}

// TestSourcePolicies: which files of a source form the policy.
func TestSourcePolicies(t *testing.T) {
	m := new(memory)
	m.publish(t, "b.csv", "p, bob, /reports, GET\n", "a.csv", "p, ann, /reports, GET\n", "sub/c.csv", "p, cem, /reports, GET\n", "notes.txt", "p, dan, /reports, GET\n")
	for _, tt := range []struct {
		policies []string
		allowed  string
		err      string
	}{
		{nil, "ann bob cem", ""},
		{[]string{"b.csv"}, "bob", ""},
		{[]string{"sub"}, "cem", ""},
		{[]string{"."}, "ann bob", ""},
		{[]string{"sub/", "./a.csv"}, "ann cem", ""},
		{[]string{"notes.txt"}, "dan", ""},
		{[]string{"gone.csv"}, "", "no file gone.csv"},
	} {
		a, err := casbinrules.OpenSource(t.Context(), m, casbinrules.RBAC(), tt.policies, quietly)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: %v", tt.policies, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.policies, err)
			continue
		}
		var allowed []string
		for _, id := range []string{"ann", "bob", "cem", "dan"} {
			if d, _ := asks(t, a, id, "GET"); d.Allowed {
				allowed = append(allowed, id)
			}
		}
		if got := strings.Join(allowed, " "); got != tt.allowed {
			t.Errorf("%q: allowed %s, want %s", tt.policies, got, tt.allowed)
		}
		_ = a.Close()
	}
}

// TestWrongSourceSetup is an error of opening.
func TestWrongSourceSetup(t *testing.T) {
	m := new(memory)
	m.publish(t, "policy.csv", annMayRead)
	for name, o := range map[string]casbinrules.Option{
		"watching files":            casbinrules.WithFileWatch(),
		"no bound":                  casbinrules.WithMaxStaleness(0, casbinrules.StaleServe),
		"no mode":                   casbinrules.WithMaxStaleness(time.Minute, ""),
		"a wrong option":            casbinrules.WithSourceOptions(source.WithTimeout(0)),
		"an observer of the source": casbinrules.WithSourceOptions(source.WithStatusObserver(func(source.Status) {})),
	} {
		if _, err := casbinrules.OpenSource(t.Context(), m, casbinrules.RBAC(), nil, o, quietly); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := casbinrules.OpenSource(t.Context(), nil, casbinrules.RBAC(), nil); err == nil {
		t.Error("no source is taken")
	}
	if _, err := casbinrules.Open(casbinrules.RBAC(), []string{"policy.csv"}, casbinrules.WithMaxStaleness(time.Minute, casbinrules.StaleServe)); err == nil || !strings.Contains(err.Error(), "OpenSource") {
		t.Errorf("a bound for files: %v", err)
	}
	a, err := casbinrules.OpenSource(t.Context(), m, casbinrules.RBAC(), nil, quietly)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if err := a.ReloadForced(t.Context()); err != nil {
		t.Error(err)
	}
	files, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(annMayRead)}}, casbinrules.RBAC(), []string{"policy.csv"}, quietly)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.WaitFor(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "OpenSource") {
		t.Errorf("files have a revision to wait for: %v", err)
	}
}
