//go:build linux

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// herd is how many instances there are in virtual time.
const herd = 1000

// crowd is a store in virtual time that a herd follows.
type crowd struct {
	mu     sync.Mutex
	newest source.Revision
	away   bool
	deaf   bool // notifications are lost
	hints  map[int]func()
	cut    chan struct{} // closed to end all listening
	begin  time.Time
	asked  []time.Duration // since the beginning: all that reaches the server
}

// latency is what was measured of notifications by PostgreSQL with 20 subscribers:
// 2.6 ms for half of them, and 18 ms for one of a hundred.
func latency() time.Duration {
	if rand.N(50) == 0 {
		return 10*time.Millisecond + rand.N(10*time.Millisecond)
	}
	return time.Millisecond + rand.N(3*time.Millisecond)
}

var errAway = errors.New("connection refused")

// ask is one way to the server and back.
func (c *crowd) ask() error {
	time.Sleep(latency())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, time.Since(c.begin))
	if c.away {
		return errAway
	}
	return nil
}

// Fetch implements [source.Source].
func (c *crowd) Fetch(_ context.Context, known source.State) (source.Fetched, error) {
	if err := c.ask(); err != nil {
		return source.Fetched{}, err
	}
	c.mu.Lock()
	content := &source.Content{Revision: c.newest, Files: []source.File{{Name: "policy.csv", Content: fmt.Append(nil, c.newest)}}}
	c.mu.Unlock()
	got := source.Fetched{State: source.State{Revision: content.Revision, Hash: content.Hash()}}
	if got.State != known {
		got.Content = content
	}
	return got, nil
}

// Listen implements [source.Source].
func (c *crowd) Listen(ctx context.Context, hint func()) error {
	if err := c.ask(); err != nil {
		return err
	}
	c.mu.Lock()
	id, cut := len(c.asked), c.cut
	c.hints[id] = hint
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.hints, id)
	}()
	hint()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-cut:
		return errAway
	}
}

// publish makes a revision, and tells of it whoever can be told.
func (c *crowd) publish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest++
	if c.deaf || c.away {
		return
	}
	for _, hint := range c.hints {
		time.AfterFunc(latency(), hint)
	}
}

func (c *crowd) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	if c.away {
		close(c.cut)
		c.cut = make(chan struct{})
	}
}

// event is something that happens in a simulation.
type event[T any] struct {
	at   time.Duration
	name string
	do   func(T)
}

var events = []event[*crowd]{
	{0, "all start", func(*crowd) {}},
	{15 * time.Second, "a push", (*crowd).publish},
	{30 * time.Second, "a push unheard of", func(c *crowd) {
		c.set(func() { c.deaf = true })
		c.publish()
	}},
	{45 * time.Second, "the store is away", func(c *crowd) { c.set(func() { c.away = true }) }},
	{60 * time.Second, "a push meanwhile", (*crowd).publish},
	{75 * time.Second, "it is back", func(c *crowd) { c.set(func() { c.away, c.deaf = false, false }) }},
}

const simulated = 90 * time.Second

// course is what the simulation has seen, in steps of a tenth of a second.
type course struct {
	asked  []int // requests in each step
	behind []int // instances that do not decide by the newest revision, at its end
}

const step = 100 * time.Millisecond

// simulate has a herd follow a store through all events.
func simulate(t *testing.T) *course {
	t.Helper()
	got := &course{asked: make([]int, simulated/step)}
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{newest: 1, hints: map[int]func(){}, cut: make(chan struct{}), begin: time.Now()}
		var at [herd]atomic.Uint64
		followers := make([]*source.Follower, herd)
		var started sync.WaitGroup
		for i := range followers {
			started.Go(func() {
				var err error
				followers[i], err = source.Follow(t.Context(), c, func(_ context.Context, content *source.Content) error {
					at[i].Store(uint64(content.Revision))
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		next := 0
		for range simulated / step {
			for next < len(events) && time.Since(c.begin) >= events[next].at {
				events[next].do(c)
				next++
			}
			time.Sleep(step)
			c.mu.Lock()
			newest := uint64(c.newest)
			c.mu.Unlock()
			behind := 0
			for i := range at {
				if at[i].Load() != newest {
					behind++
				}
			}
			got.behind = append(got.behind, behind)
		}
		started.Wait()
		for _, f := range followers {
			_ = f.Close()
		}
		for _, at := range c.asked {
			if i := int(at / step); i < len(got.asked) {
				got.asked[i]++
			}
		}
	})
	return got
}

// during adds up the requests of a second at a time, and returns the most.
func (c *course) during(from, to time.Duration) int {
	return slices.Max(c.perSecond()[from/time.Second : to/time.Second])
}

// perSecond adds up the requests of each second.
func (c *course) perSecond() []int {
	var seconds []int
	for steps := range slices.Chunk(c.asked, int(time.Second/step)) {
		sum := 0
		for _, n := range steps {
			sum += n
		}
		seconds = append(seconds, sum)
	}
	return seconds
}

// caughtUpAfter is how long after a moment the last instance was at the newest revision.
func (c *course) caughtUpAfter(at time.Duration) time.Duration {
	for i, n := range c.behind[at/step:] {
		if n == 0 {
			return time.Duration(i+1) * step
		}
	}
	return time.Hour
}

// TestHerd: 1,000 instances, with the latencies that were measured, load their store no
// more than so many requests a second each, and none stays behind.
func TestHerd(t *testing.T) {
	t.Parallel()
	c := simulate(t)
	c.check(t, []phase{
		{"at the start", 0, 5 * time.Second, 4},
		{"at rest", 5 * time.Second, 15 * time.Second, 0.7},
		{"at a push", 15 * time.Second, 16 * time.Second, 1.3},
		{"without notifications", 31 * time.Second, 44 * time.Second, 0.7},
		{"when the store goes away", 45 * time.Second, 46 * time.Second, 8},
		{"while it is away", 46 * time.Second, 75 * time.Second, 3},
		{"when it is back", 75 * time.Second, 80 * time.Second, 4},
	}, map[time.Duration]time.Duration{ // a poll is after 5 s, more or less a tenth
		15 * time.Second: 200 * time.Millisecond, 30 * time.Second: 5700 * time.Millisecond, 75 * time.Second: 700 * time.Millisecond,
	})
	draw(t, "herd.svg", fmt.Sprintf("%d instances and their store", herd), simulated, events,
		panel{"requests to the store in a second", c.perSecond(), time.Second, "#4c78a8"},
		panel{"instances behind the newest revision", c.behind, step, "#e45756"})
}

// phase is a part of a course, in which each of the herd may make so many requests in a
// second.
type phase struct {
	name     string
	from, to time.Duration
	each     float64
}

// check holds a course to what may be asked, and to how long after some moments all
// have what is newest.
func (c *course) check(t *testing.T, phases []phase, caughtUp map[time.Duration]time.Duration) {
	t.Helper()
	for _, p := range phases {
		if most := c.during(p.from, p.to); most == 0 || float64(most) > p.each*herd {
			t.Errorf("%s: up to %d requests in a second, want at most %.0f", p.name, most, p.each*herd)
		}
	}
	for at, limit := range caughtUp {
		if took := c.caughtUpAfter(at); took > limit {
			t.Errorf("after %v it takes %v until all have the newest, want at most %v", at, took, limit)
		}
	}
	if t.Failed() {
		t.Log("each second:", c.perSecond())
	}
}

// draw writes a picture for the page, if one is to be written.
func draw[T any](t *testing.T, name, title string, length time.Duration, events []event[T], panels ...panel) {
	t.Helper()
	if *page == "" {
		return
	}
	text := picture(title, length, events, panels...)
	if err := os.WriteFile(filepath.Join(filepath.Dir(*page), "images", name), []byte(text), 0o644); err != nil {
		t.Error(err)
	}
}
