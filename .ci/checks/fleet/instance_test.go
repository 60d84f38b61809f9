//go:build linux

package fleet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"syscall"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/redis"
)

// assignment is what an instance is to do.
type assignment struct {
	Kind, URL, Name string        // of the store
	Pause           time.Duration // between two requests
}

// sighting says when an instance first decided by a revision.
type sighting struct {
	Revision source.Revision
	At       time.Time
}

// account is what an instance has counted since it was last asked.
type account struct {
	Requests, Wrong, Unavailable int
	// Passed is how many guesses were not refused unseen.
	Passed int
	// Longest is how long the slowest answer took.
	Longest time.Duration
	// Used is the processor time of the process.
	Used time.Duration
	// First is the first thing that was wrong, in words.
	First string
}

// message is a line that an instance writes.
type message struct {
	Sighting *sighting `json:",omitempty"`
	Account  *account  `json:",omitempty"`
}

// openStore is a store of a kind at a URL.
func openStore(kind, url, name string) (source.Store, error) {
	if kind == "redis" {
		return redis.New(url, redis.WithName(name))
	}
	return postgres.New(url, postgres.WithName(name))
}

var quietGuard = core.WithLogger(slog.New(slog.DiscardHandler))

// instance guards and decides until in ends, and gives its account for each line
// of in.
func instance(a assignment, in io.Reader, out io.Writer) error {
	if a.Kind == guesserKind {
		return guesser(a, in, out)
	}
	store, err := openStore(a.Kind, a.URL, a.Name)
	if err != nil {
		return err
	}
	// Whoever asks at a moderate rate asks once more as soon as there is a change to see.
	changed := make(chan struct{}, 1)
	policy, err := casbinrules.OpenSource(context.Background(), store, casbinrules.ModelFile("model.conf"), nil,
		casbinrules.WithLogger(slog.New(slog.DiscardHandler)), casbinrules.WithReloadObserver(func(context.Context, casbinrules.ReloadEvent) {
			select {
			case changed <- struct{}{}:
			default:
			}
		}))
	if err != nil {
		return err
	}
	p := &prober{write: json.NewEncoder(out)}
	if err := p.mount(policy); err != nil {
		return err
	}
	asked, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			asked <- struct{}{}
		}
		ended <- lines.Err()
	}()
	next := time.NewTicker(a.Pause)
	defer next.Stop()
	used := processorTime()
	for {
		select {
		case err := <-ended:
			return err
		case <-asked:
			now := processorTime()
			p.account.Used, used = now-used, now
			if err := p.write.Encode(message{Account: &p.account}); err != nil {
				return err
			}
			p.account = account{}
		case <-next.C:
			if err := p.probe(); err != nil {
				return err
			}
		case <-changed:
			if err := p.probe(); err != nil {
				return err
			}
		}
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // fails for no process but another
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// prober sends requests to a service of its own process.
type prober struct {
	service http.Handler
	// requests are one for each place, made beforehand: who asks is not to be what is
	// measured.
	requests []*http.Request
	write    *json.Encoder
	event    core.Event // the last one
	newest   source.Revision
	turn     int
	account  account
}

// keys holds one key.
type keys struct{ *apikey.Key }

func (k keys) LookupKey(context.Context, string) (*apikey.Key, error) { return k.Key, nil }

// mount makes the service.
func (p *prober) mount(policy *casbinrules.Authorizer) error {
	key, id, hash := apikey.Generate()
	known, err := apikey.NewKey(apikey.Info{ID: id, Hash: hash, Owner: user})
	if err != nil {
		return err
	}
	scheme, err := apikey.New("fleet", keys{known})
	if err != nil {
		return err
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(policy), quietGuard,
		core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) { p.event = e })))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{place...}", httpauth.Authorize(guard)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })))
	p.service = mux
	for _, path := range places {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set(apikey.DefaultHeader, key)
		p.requests = append(p.requests, r)
	}
	return nil
}

// probe sends a request, and compares the answer with what the revision holds
// that has decided.
func (p *prober) probe() error {
	path, r := places[p.turn%len(places)], p.requests[p.turn%len(places)]
	p.turn++
	w := httptest.NewRecorder()
	p.event = core.Event{}
	began := time.Now()
	p.service.ServeHTTP(w, r)
	now := time.Now()
	p.account.Requests++
	p.account.Longest = max(p.account.Longest, now.Sub(began))
	if w.Code >= http.StatusInternalServerError {
		p.account.Unavailable++
		p.wrong("%s: status %d: %v", path, w.Code, p.event.Cause)
		return nil
	}
	n, err := strconv.ParseUint(p.event.Revision, 10, 63)
	if err != nil {
		return fmt.Errorf("revision %q: %w", p.event.Revision, err)
	}
	revision := source.Revision(n)
	want := http.StatusForbidden
	if allows(revision, path) {
		want = http.StatusNoContent
	}
	switch {
	case w.Code != want:
		p.account.Wrong++
		p.wrong("%s: status %d by revision %d, want %d", path, w.Code, revision, want)
	case revision < p.newest:
		p.account.Wrong++
		p.wrong("revision %d decides after revision %d", revision, p.newest)
	case revision > p.newest:
		p.newest = revision
		return p.write.Encode(message{Sighting: &sighting{revision, now}})
	}
	return nil
}

// wrong keeps the first thing that was wrong.
func (p *prober) wrong(format string, args ...any) {
	if p.account.First == "" {
		p.account.First = fmt.Sprintf(format, args...)
	}
}
