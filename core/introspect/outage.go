package introspect

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

const (
	// tolerated is the number of consecutive failures that have no effect.
	tolerated = 3
	// Further failures cause pauses, which start at the first, double, and end at
	// the longest.
	firstPause, longestPause = 50 * time.Millisecond, time.Second
)

var errWait = errors.New("introspect: the endpoint asked to wait")

// isOutage reports whether a status is about the server rather than about one
// token: a firewall may answer 403 and a fault 500 for tokens of some forms, and a
// client that sends many of those must not block other tokens.
func isOutage(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// outage keeps every request of every instance from calling a server that fails or
// has asked to wait.
type outage struct {
	mu       sync.Mutex
	failures int       // in a row
	trying   bool      // whether a call finds out if the server still fails
	pause    time.Time // the end of the pause after a failure
	asked    time.Time // until when the server asked to wait
}

// admit admits a call, or returns an error that says how long to wait; done must be
// called when the call has ended. While the server fails, one call at a time finds
// out whether it still does.
func (o *outage) admit(now time.Time) (done func(), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if wait := o.asked.Sub(now); wait > 0 {
		return nil, &core.UnavailableError{RetryAfter: wait, Err: errWait}
	}
	if o.failures <= tolerated {
		return func() {}, nil
	}
	wait := o.pause.Sub(now)
	if o.trying {
		wait = longestPause
	}
	if wait > 0 {
		return nil, &core.UnavailableError{RetryAfter: wait, Err: fmt.Errorf("introspect: the endpoint has failed %d times in a row", o.failures)}
	}
	o.trying = true
	return o.tried, nil
}

func (o *outage) tried() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trying = false
}

// failed records a failure, and how long the server has asked to wait, or 0. Pauses
// are shortened by up to a half at random, since all instances fail at once. A
// failure during a pause of a call from before it does not extend the next one.
func (o *outage) failed(now time.Time, asked time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if end := now.Add(asked); asked > 0 && end.After(o.asked) {
		o.asked = end
	}
	if o.failures > tolerated && now.Before(o.pause) {
		return
	}
	o.failures++
	if o.failures > tolerated {
		pause := min(firstPause<<min(o.failures-tolerated-1, 10), longestPause)
		o.pause = now.Add(pause/2 + rand.N(pause/2))
	}
}

// ended records that the server has answered.
func (o *outage) ended() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures = 0
}
