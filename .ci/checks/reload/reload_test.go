// Package reload_test proves that a policy can be edited under load: four
// servers, one on each framework, share a policy that is edited a thousand
// times while clients ask them.
package reload_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/watch"
)

// ask is a request and the answers it may have.
type ask struct {
	user, room string
	may        []int
}

// asks are the same for either policy, except for the hall: there the policy in
// force decides.
var asks = []ask{
	{"ann", "/left", []int{200}},
	{"ann", "/right", []int{403}},
	{"bob", "/left", []int{403}},
	{"bob", "/right", []int{200}},
	{"ann", "/hall", []int{200, 403}},
	{"bob", "/hall", []int{200, 403}},
	{"eve", "/left", []int{403}},
	{"", "/left", []int{401}},
}

// TestReloadUnderFire edits the policy of four busy servers 1,000 times in
// every style, a third of the edits broken: no 5xx, no answer that neither the
// old nor the new policy gives, the last good policy kept (H06, H07).
func TestReloadUnderFire(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.csv")
	if err := write(file, straight); err != nil {
		t.Fatal(err)
	}
	told := newTally()
	policy, err := casbinrules.Open(casbinrules.RBAC(), []string{file},
		casbinrules.WithFileWatch(watch.WithDebounce(time.Millisecond, 5*time.Millisecond)),
		casbinrules.WithLogger(slog.New(slog.DiscardHandler)),
		casbinrules.WithReloadObserver(told.observe))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := policy.Close(); err != nil {
			t.Error(err)
		}
	}()
	var verdicts atomic.Int64
	g := guard(t, policy, core.ObserverFunc(func(_ context.Context, e core.Event) {
		verdicts.Add(1)
		if e.Outcome == core.OutcomeAllowed && e.Rule == "" {
			t.Errorf("%s %s is allowed by no rule", e.PrincipalID, e.Resource)
		}
	}))
	all := servers(t, g)

	fire := newFire(t, all)
	editAll(t, policy, file)
	fire.cease()

	if told.count(casbinrules.ReloadLoaded) < 100 || told.count(casbinrules.ReloadRejected) < 100 || fire.answers.Load() < 1000 {
		t.Errorf("%d loaded, %d rejected, %d answers: too few to prove anything",
			told.count(casbinrules.ReloadLoaded), told.count(casbinrules.ReloadRejected), fire.answers.Load())
	}
	t.Logf("%d answers, %d verdicts; loaded %d, rejected %d, failed %d times", fire.answers.Load(), verdicts.Load(),
		told.count(casbinrules.ReloadLoaded), told.count(casbinrules.ReloadRejected), told.count(casbinrules.ReloadFailed))
	finalPolicyHolds(t, policy, file, all)
}

// editAll edits the file a thousand times.
func editAll(t *testing.T, policy *casbinrules.Authorizer, file string) {
	t.Helper()
	good := [...]string{straight, crossed}
	for i := range 1000 {
		text, bad := good[i%2], i%3 == 0
		if bad {
			text = broken[i/3%len(broken)]
		}
		if err := styles[i/2%len(styles)].edit(file, text); err != nil {
			t.Fatal(err)
		}
		// The watcher is left alone with two edits out of three; the third
		// must be in force, or be refused, before the next one.
		if i%3 != i/3%3 {
			continue
		}
		if err := policy.Reload(t.Context()); (err != nil) != bad {
			t.Fatalf("edit %d, %s: %v", i, styles[i/2%len(styles)].name, err)
		}
		if bad && policy.Status().Err == nil {
			t.Errorf("edit %d: the status does not tell", i)
		}
	}
}

// finalPolicyHolds checks that each server answers by the last policy, and
// goes on doing so when the file is broken or gone.
func finalPolicyHolds(t *testing.T, policy *casbinrules.Authorizer, file string, all []server) {
	t.Helper()
	client := &http.Client{}
	defer client.CloseIdleConnections()
	for i, text := range []string{straight, crossed, "", broken[1]} {
		if err := write(file, text); err != nil {
			t.Fatal(err)
		}
		if err := policy.Reload(t.Context()); (err != nil) != (i > 1) {
			t.Fatalf("policy %d: %v", i, err)
		}
		inHall := map[string]int{"ann": 200, "bob": 403}
		if i > 0 {
			inHall = map[string]int{"ann": 403, "bob": 200}
		}
		for _, s := range all {
			for user, want := range inHall {
				if got, err := get(client, s.url, ask{user: user, room: "/hall"}); err != nil || got != want {
					t.Errorf("policy %d: %s: %s in the hall: %d, %v, want %d", i, s.name, user, got, err, want)
				}
			}
		}
	}
}

// fire is clients that ask servers until they are told to cease.
type fire struct {
	answers atomic.Int64
	stop    chan struct{}
	clients sync.WaitGroup
}

func newFire(t *testing.T, all []server) *fire {
	t.Helper()
	f := &fire{stop: make(chan struct{})}
	for _, s := range all {
		for range 2 {
			f.clients.Go(func() { f.client(t, s) })
		}
	}
	return f
}

func (f *fire) cease() {
	close(f.stop)
	f.clients.Wait()
}

func (f *fire) client(t *testing.T, s server) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for i := 0; ; i++ {
		select {
		case <-f.stop:
			return
		default:
		}
		a := asks[i%len(asks)]
		got, err := get(client, s.url, a)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			return
		}
		if !slices.Contains(a.may, got) {
			t.Errorf("%s: %s asks for %s: %d, want %d", s.name, a.user, a.room, got, a.may)
		}
		f.answers.Add(1)
	}
}

func get(client *http.Client, url string, a ask) (status int, err error) {
	r, err := http.NewRequest(http.MethodGet, url+a.room, nil)
	if err != nil {
		return 0, err
	}
	if a.user != "" {
		r.SetBasicAuth(a.user, a.user)
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// tally counts events by their outcome.
type tally struct {
	mu     sync.Mutex
	counts map[casbinrules.ReloadOutcome]int
}

func newTally() *tally { return &tally{counts: map[casbinrules.ReloadOutcome]int{}} }

func (t *tally) observe(_ context.Context, e casbinrules.ReloadEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[e.Outcome]++
}

func (t *tally) count(o casbinrules.ReloadOutcome) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[o]
}
