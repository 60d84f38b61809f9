package source_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// fake is a store in memory with a network that can fail.
type fake struct {
	mu       sync.Mutex
	newest   source.Revision
	down     error
	deaf     bool   // notifications are lost silently
	fork     string // text of a revision published in another way
	asked    []time.Time
	listens  int
	hints    map[int]func()
	cut      chan struct{} // closed to end all listening
	tampered func(*source.Fetched)
}

func newFake() *fake { return &fake{hints: map[int]func(){}, cut: make(chan struct{})} }

func (f *fake) content() *source.Content {
	return &source.Content{Revision: f.newest, Files: []source.File{{Name: "policy.csv", Content: fmt.Append(nil, f.newest, f.fork)}}}
}

func (f *fake) Fetch(_ context.Context, known source.State) (source.Fetched, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, time.Now())
	if f.down != nil {
		return source.Fetched{}, f.down
	}
	if f.newest == 0 {
		return source.Fetched{}, source.ErrEmpty
	}
	c := f.content()
	got := source.Fetched{State: source.State{Revision: f.newest, Hash: c.Hash()}}
	if known != got.State {
		got.Content = c
	}
	if f.tampered != nil {
		f.tampered(&got)
	}
	return got, nil
}

func (f *fake) Listen(ctx context.Context, hint func()) error {
	f.mu.Lock()
	f.asked = append(f.asked, time.Now())
	if f.down != nil {
		defer f.mu.Unlock()
		return f.down
	}
	id, cut := f.listens, f.cut
	f.listens++
	f.hints[id] = hint
	f.mu.Unlock()
	hint()
	select {
	case <-ctx.Done():
	case <-cut:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.hints, id)
	return errors.New("cut off")
}

// publish makes a new revision and notifies, unless the network is down.
func (f *fake) publish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.newest++
	if f.down == nil && !f.deaf {
		for _, hint := range f.hints {
			hint()
		}
	}
}

// set changes the network; going down ends all listening.
func (f *fake) set(down error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down == nil && down != nil {
		close(f.cut)
		f.cut = make(chan struct{})
	}
	f.down = down
}

// applied records what was applied.
type applied struct {
	mu     sync.Mutex
	all    []source.Revision
	refuse map[source.Revision]error
}

func (a *applied) apply(_ context.Context, c *source.Content) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, c.Revision)
	if text, _ := c.File("policy.csv"); !strings.HasPrefix(string(text), fmt.Sprint(c.Revision)) {
		return errors.New("mixed content")
	}
	return a.refuse[c.Revision]
}

func (a *applied) seen() []source.Revision {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.all)
}

// followed runs a test in virtual time with a follower of revision 1.
func followed(t *testing.T, run func(t *testing.T, store *fake, got *applied, f *source.Follower), opts ...source.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, got := newFake(), &applied{refuse: map[source.Revision]error{}}
		store.publish()
		f, err := source.Follow(t.Context(), store, got.apply, opts...)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		synctest.Wait()
		run(t, store, got, f)
	})
}
