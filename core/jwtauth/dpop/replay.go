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

// ReplayStore remembers proofs for as long as they are good. Implementations
// must be safe for concurrent use, and one that several processes share must
// decide atomically (in Redis: SET with NX and PX).
type ReplayStore interface {
	// Remember keeps id for ttl, which is above zero, and reports whether it
	// was not there before. Of two calls with one id within ttl, at most one
	// is told so. id is a hash and holds nothing of the proof. key is a hash of
	// the key that made the proof: a store of bounded size gives each key a
	// share, so that the holder of one token cannot fill it for all.
	//
	// A core.LimitError refuses a key whose share is used up, with 429. Any other
	// error means that nobody knows, and the request is answered with 503;
	// a core.UnavailableError may say how long to wait. A store without room
	// returns an error: it must not forget what is still good.
	Remember(ctx context.Context, key, id [32]byte, ttl time.Duration) (fresh bool, err error)
}

// ErrReplayMemoryFull is the error of a [ReplayMemory] without room.
var ErrReplayMemoryFull = errors.New("as many proofs as fit are remembered already")

// ErrReplayShareUsed is in the core.LimitError of a [ReplayMemory] for a key that
// has as many proofs in it as one key may.
var ErrReplayShareUsed = errors.New("as many proofs of this key as it may have are remembered already")

const (
	// defaultReplays is room for about 2900 requests a second, each proof being
	// kept for 91 s.
	defaultReplays = 1 << 18
	maxReplays     = 1 << 26
	// sharesOfReplays is how many keys it takes to fill a memory: by default a
	// key has room for about 360 requests a second.
	sharesOfReplays = 8
)

// ReplayMemory is a [ReplayStore] in the memory of one process. It never takes
// more room than for limit proofs, about 250 bytes each, and an eighth of them for one
// key.
type ReplayMemory struct {
	limit, share int
	now          func() time.Time

	mu    sync.Mutex
	seen  map[[32]byte]struct{}
	keys  map[[32]byte]int // how many proofs of each are seen
	queue byExpiry
}

var _ ReplayStore = (*ReplayMemory)(nil)

// NewReplayMemory makes a store for at most limit proofs, from 1 to 67108864.
// When they are all still good, further ones are refused with
// [ErrReplayMemoryFull], and before that those of a key that has an eighth of
// them, with a core.LimitError.
func NewReplayMemory(limit int) (*ReplayMemory, error) {
	if limit < 1 || limit > maxReplays {
		return nil, fmt.Errorf("replay memory for %d proofs: must be from 1 to %d", limit, maxReplays)
	}
	return &ReplayMemory{
		limit: limit, share: (limit + sharesOfReplays - 1) / sharesOfReplays, now: time.Now,
		seen: make(map[[32]byte]struct{}), keys: make(map[[32]byte]int),
	}, nil
}

// Remember implements [ReplayStore].
func (m *ReplayMemory) Remember(_ context.Context, key, id [32]byte, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for len(m.queue) > 0 && !now.Before(m.queue[0].until) {
		m.forget(m.queue[0])
		heap.Pop(&m.queue)
	}
	if _, again := m.seen[id]; again {
		return false, nil
	}
	switch {
	case m.keys[key] >= m.share:
		return false, &core.LimitError{RetryAfter: ttl, Err: ErrReplayShareUsed}
	case len(m.queue) >= m.limit:
		return false, ErrReplayMemoryFull
	}
	m.seen[id] = struct{}{}
	m.keys[key]++
	heap.Push(&m.queue, remembered{key, id, now.Add(ttl)})
	return true, nil
}

func (m *ReplayMemory) forget(r remembered) {
	delete(m.seen, r.id)
	if m.keys[r.key]--; m.keys[r.key] == 0 {
		delete(m.keys, r.key)
	}
}

// remembered is one proof.
type remembered struct {
	key, id [32]byte
	until   time.Time
}

// byExpiry is a heap whose first element is the next to be forgotten.
type byExpiry []remembered

func (q byExpiry) Len() int           { return len(q) }
func (q byExpiry) Less(i, j int) bool { return q[i].until.Before(q[j].until) }
func (q byExpiry) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byExpiry) Push(x any)        { *q = append(*q, x.(remembered)) }

func (q *byExpiry) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}
