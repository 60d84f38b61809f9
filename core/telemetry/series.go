package telemetry

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
)

const (
	// other is the value of an attribute for all values beyond its bound.
	other = "_other"
	// maxLabel is how many bytes of a value are looked at.
	maxLabel = 128
	// maxNames is how many reasons beyond the known ones, policies and key sets are
	// told apart, maxSchemes how many schemes.
	maxNames   = 64
	maxSchemes = 32
	// allSchemes are those, none, and all others.
	allSchemes = maxSchemes + 2
)

// labels are the values of one attribute, the first ones that come. A value that
// is known is found without a lock.
type labels struct {
	clean atomic.Pointer[map[string]string] // by the value as it comes
	mu    sync.Mutex
	room  int // for more of them; mu guards it
	full  atomic.Bool
}

func newLabels(room int, known ...string) *labels {
	l := &labels{room: room}
	first := map[string]string{"": ""}
	for _, k := range known {
		first[k] = k
	}
	l.clean.Store(&first)
	return l
}

// of is the value that counts for s: valid UTF-8, or other.
func (l *labels) of(s string) string {
	if len(s) > maxLabel {
		s = s[:maxLabel]
	}
	if v, ok := (*l.clean.Load())[s]; ok {
		return v
	}
	if l.full.Load() {
		return other
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	known := *l.clean.Load()
	if v, ok := known[s]; ok {
		return v
	}
	if l.room == 0 {
		l.full.Store(true)
		return other
	}
	l.room--
	more := maps.Clone(known)
	s = strings.Clone(s) // it may be part of a larger text
	more[s] = strings.ToValidUTF8(s, "\uFFFD")
	l.clean.Store(&more)
	return more[s]
}

// schemes are the names of schemes, by index: none, other, and the first ones that
// come.
type schemes struct {
	known atomic.Pointer[[]string]
	mu    sync.Mutex
}

// of is the index of a name.
func (l *schemes) of(name string) int {
	if len(name) > maxLabel {
		name = name[:maxLabel]
	}
	known := *l.known.Load()
	if i := slices.Index(known, name); i >= 0 {
		return i
	}
	if len(known) == allSchemes {
		return 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	known = *l.known.Load()
	if i := slices.Index(known, name); i >= 0 {
		return i
	}
	if len(known) == allSchemes {
		return 1
	}
	more := append(slices.Clip(slices.Clone(known)), strings.Clone(name))
	l.known.Store(&more)
	return len(known)
}

// name is what of made an index of, valid UTF-8.
func (l *schemes) name(i int) string { return clean((*l.known.Load())[i]) }

// counters are numbers by a key. One that is there is found without a lock, and
// there are never more than a bound.
type counters[K comparable] struct {
	series atomic.Pointer[map[K]*counter]
	mu     sync.Mutex
	room   int // for more of them; mu guards it
	full   atomic.Bool
}

// counter is a number and the attributes that it is reported with.
type counter struct {
	atomic.Int64
	set attribute.Set
}

func newCounters[K comparable](room int) *counters[K] {
	c := &counters[K]{room: room}
	c.series.Store(&map[K]*counter{})
	return c
}

// find is the counter of k, or nil.
func (c *counters[K]) find(k K) *counter { return (*c.series.Load())[k] }

// make is the counter of k, made where there is room for it, or nil.
func (c *counters[K]) make(k K, set func(K) attribute.Set) *counter {
	if c.full.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := *c.series.Load()
	if n := known[k]; n != nil {
		return n
	}
	if c.room == 0 {
		c.full.Store(true)
		return nil
	}
	c.room--
	more := maps.Clone(known)
	more[k] = &counter{set: set(k)}
	c.series.Store(&more)
	return more[k]
}

// of is the counter of k, or nil where there is no room.
func (c *counters[K]) of(k K, set func(K) attribute.Set) *counter {
	if n := c.find(k); n != nil {
		return n
	}
	return c.make(k, set)
}

// pair is a key of two values.
type pair struct{ a, b string }
