package introspect

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

const (
	// tolerated is how many failures in a row change nothing.
	tolerated = 3
	// After more of them pauses begin with the first, double, and end at the longest.
	firstPause, longestPause = 50 * time.Millisecond, time.Second
)

var errWait = errors.New("introspect: the endpoint asked to wait")

// outage keeps a server that fails, or that has asked to wait, from being asked by
// each request of each instance.
type outage struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // when the server may be asked again
}

// admit lets a call through, or says until when there is none. Of a server that
// fails, one call at a time finds out whether it still does; it ends within timeout.
func (o *outage) admit(now time.Time, timeout time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch wait := o.until.Sub(now); {
	case wait > 0 && o.failures > tolerated:
		return &core.UnavailableError{RetryAfter: wait, Err: fmt.Errorf("introspect: the endpoint has failed %d times in a row", o.failures)}
	case wait > 0:
		return &core.UnavailableError{RetryAfter: wait, Err: errWait}
	case o.failures > tolerated:
		o.until = now.Add(timeout)
	}
	return nil
}

// failed notes a failure, and for how long the server has asked to wait, or 0. Pauses
// are a random half to whole of what they would be, since all instances fail at once.
func (o *outage) failed(now time.Time, asked time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures++
	if o.failures > tolerated {
		pause := min(firstPause<<min(o.failures-tolerated-1, 10), longestPause)
		o.until = now.Add(pause/2 + rand.N(pause/2))
	}
	if end := now.Add(asked); asked > 0 && end.After(o.until) {
		o.until = end
	}
}

// ended notes that the server has answered.
func (o *outage) ended() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures > tolerated {
		o.until = time.Time{}
	}
	o.failures = 0
}
