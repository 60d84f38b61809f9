package dpop

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// ReplayStore remembers proofs for as long as they are valid. Implementations must
// be safe for concurrent use, and one that several processes share must decide
// atomically (in Redis: SET with NX and PX).
type ReplayStore interface {
	// Remember keeps id for ttl, which is positive, and reports whether id is
	// fresh, that is, was not stored before. Of several calls with one id within
	// ttl, at most one returns true. id is a hash and reveals nothing of the proof.
	// key is a hash of the key that made the proof: a store of bounded size gives
	// each key a share, so that the holder of one token cannot fill it for all.
	//
	// A core.LimitError refuses a key whose share is used up, with 429. Any other
	// error means that it could not be decided, and the request gets 503; a
	// core.UnavailableError may say how long to wait. A full store returns an
	// error: it must not forget proofs that are still valid.
	Remember(ctx context.Context, key, id [32]byte, ttl time.Duration) (fresh bool, err error)
}

// ErrReplayMemoryFull is the error of a full [ReplayMemory].
var ErrReplayMemoryFull = errors.New("the memory for proofs is full")

// ErrReplayShareUsed is wrapped by the core.LimitError of a [ReplayMemory] for a
// key that has used up its share.
var ErrReplayShareUsed = errors.New("the memory for proofs of this key is full")

const (
	// defaultReplays is enough for about 2900 requests a second, with each proof
	// kept for 91 s.
	defaultReplays = 1 << 18
	maxReplays     = 1 << 26
	// sharesOfReplays is the number of keys that it takes to fill a memory: by
	// default a key's share is enough for about 360 requests a second.
	sharesOfReplays = 8
	// maxForgotten is how many expired proofs a call removes, more than it can add, so that
	// none waits until all of a burst are removed.
	maxForgotten = 64
)

// ReplayMemory is a [ReplayStore] in the memory of one process. It holds at most
// limit proofs, about 300 bytes each, and at most an eighth of them for one key.
type ReplayMemory struct {
	limit, share int
	now          func() time.Time

	mu    sync.Mutex
	seen  map[[32]byte]time.Time // until when each counts
	keys  map[[32]byte]int       // number of stored proofs of each
	queue byExpiry
}

var _ ReplayStore = (*ReplayMemory)(nil)

// NewReplayMemory returns a store for at most limit proofs, from 1 to 67108864.
// While it is full of valid ones, further proofs are refused with
// [ErrReplayMemoryFull]. Those of a key that already has an eighth of limit are
// refused with a core.LimitError.
func NewReplayMemory(limit int) (*ReplayMemory, error) {
	if limit < 1 || limit > maxReplays {
		return nil, fmt.Errorf("replay memory for %d proofs: must be from 1 to %d", limit, maxReplays)
	}
	return &ReplayMemory{
		limit: limit, share: (limit + sharesOfReplays - 1) / sharesOfReplays, now: time.Now,
		seen: make(map[[32]byte]time.Time), keys: make(map[[32]byte]int),
	}, nil
}

// Remember implements [ReplayStore].
func (m *ReplayMemory) Remember(_ context.Context, key, id [32]byte, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for n := 0; len(m.queue) > 0 && expired(m.queue[0].until, now) && (n < maxForgotten || m.keys[key] >= m.share); n++ {
		m.forget(m.queue[0])
		heap.Pop(&m.queue)
	}
	if until, again := m.seen[id]; again && !expired(until, now) {
		return false, nil
	}
	switch {
	case m.keys[key] >= m.share:
		return false, &core.LimitError{RetryAfter: ttl, Err: ErrReplayShareUsed}
	case len(m.queue) >= m.limit:
		return false, ErrReplayMemoryFull
	}
	until := now.Add(ttl)
	m.seen[id] = until
	m.keys[key]++
	heap.Push(&m.queue, remembered{key, id, until})
	return true, nil
}

func (m *ReplayMemory) forget(r remembered) {
	if m.seen[r.id].Equal(r.until) { // and was not remembered again
		delete(m.seen, r.id)
	}
	if m.keys[r.key]--; m.keys[r.key] == 0 {
		delete(m.keys, r.key)
	}
}

// remembered is one proof.
type remembered struct {
	key, id [32]byte
	until   time.Time
}

// expired reports whether a proof has expired by the time that has passed and by the time
// of day, by which proofs are checked: it is valid once more if the clock is set back.
func expired(until, now time.Time) bool {
	return !now.Before(until) && !now.Round(0).Before(until.Round(0))
}

// byExpiry is a heap whose first element expires next, by the time of day.
type byExpiry []remembered

func (q byExpiry) Len() int           { return len(q) }
func (q byExpiry) Less(i, j int) bool { return q[i].until.Round(0).Before(q[j].until.Round(0)) }
func (q byExpiry) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byExpiry) Push(x any)        { *q = append(*q, x.(remembered)) }

func (q *byExpiry) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}
