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
	// maxLabel is the maximum number of bytes of a value that count.
	maxLabel = 128
	// maxNames is how many reasons beyond the known ones, policies and key sets are
	// distinguished, maxSchemes how many schemes.
	maxNames   = 64
	maxSchemes = 32
	// allSchemes is their number, with "none" and "other".
	allSchemes = maxSchemes + 2
)

// bounded is a map with a maximum number of entries. Existing ones are found without a
// lock.
type bounded[K comparable, V any] struct {
	known atomic.Pointer[map[K]V]
	mu    sync.Mutex
	room  int // for more of them; mu guards it
	full  atomic.Bool
}

func newBounded[K comparable, V any](room int, first map[K]V) *bounded[K, V] {
	b := &bounded[K, V]{room: room}
	b.known.Store(&first)
	return b
}

// find returns the value of k, if there is one.
func (b *bounded[K, V]) find(k K) (v V, ok bool) {
	v, ok = (*b.known.Load())[k]
	return v, ok
}

// add returns the value of k, which it makes, together with the key to store, if there
// is none but room for it; otherwise ok is false.
func (b *bounded[K, V]) add(k K, made func(K) (K, V)) (v V, ok bool) {
	if b.full.Load() {
		return v, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	known := *b.known.Load()
	if v, ok := known[k]; ok {
		return v, true
	}
	if b.room == 0 {
		b.full.Store(true)
		return v, false
	}
	b.room--
	more := maps.Clone(known)
	k, v = made(k)
	more[k] = v
	b.known.Store(&more)
	return v, true
}

// labels are the first values of one attribute that occur, by the value as given.
type labels struct{ *bounded[string, string] }

func newLabels(room int, known ...string) *labels {
	first := map[string]string{"": ""}
	for _, k := range known {
		first[k] = k
	}
	return &labels{newBounded(room, first)}
}

// of returns the value to report for s: valid UTF-8, or other.
func (l *labels) of(s string) string {
	if len(s) > maxLabel {
		s = s[:maxLabel]
	}
	v, ok := l.find(s)
	if !ok {
		v, ok = l.add(s, func(s string) (string, string) {
			s = strings.Clone(s) // it may be part of a larger text
			return s, strings.ToValidUTF8(s, "\uFFFD")
		})
	}
	if !ok {
		return other
	}
	return v
}

// schemes are the names of schemes, by index: none, other, and the first ones that
// occur.
type schemes struct {
	known atomic.Pointer[[]string]
	mu    sync.Mutex
}

// of returns the index of a name.
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

// name returns the name at an index that of returned, as valid UTF-8.
func (l *schemes) name(i int) string { return clean((*l.known.Load())[i]) }

// counters are counters by a key.
type counters[K comparable] struct{ *bounded[K, *counter] }

// counter is a number and the attributes with which it is reported.
type counter struct {
	atomic.Int64
	set attribute.Set
}

func newCounters[K comparable](room int) *counters[K] {
	return &counters[K]{newBounded(room, map[K]*counter{})}
}

// of returns the counter of k, which it makes if there is room for it, or nil.
func (c *counters[K]) of(k K, set func(K) attribute.Set) *counter {
	n, ok := c.find(k)
	if !ok {
		n, _ = c.add(k, func(k K) (K, *counter) { return k, &counter{set: set(k)} })
	}
	return n
}

// pair is a key of two values.
type pair struct{ a, b string }
