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
	// tolerated is how many failures in a row change nothing.
	tolerated = 3
	// After more of them pauses begin with the first, double, and end at the longest.
	firstPause, longestPause = 50 * time.Millisecond, time.Second
)

var errWait = errors.New("introspect: the endpoint asked to wait")

// isOutage reports whether a status is about the server, and not about the one token
// that it was asked about: a firewall answers 403 and a fault 500 for tokens of some
// forms, and whoever sends many of those must keep nobody else from being asked about.
func isOutage(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// outage keeps a server that fails, or that has asked to wait, from being asked by
// each request of each instance.
type outage struct {
	mu       sync.Mutex
	failures int       // in a row
	trying   bool      // whether a call finds out if the server still fails
	pause    time.Time // the end of the pause after a failure
	asked    time.Time // until when the server has asked to wait
}

// admit lets a call through, or says until when there is none; done is called when it
// has ended. Of a server that fails, one call at a time finds out whether it still does.
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

// failed notes a failure, and for how long the server has asked to wait, or 0. Pauses
// are a random half to whole of what they would be, since all instances fail at once.
// A call from before a pause that fails during it makes the next one no longer.
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

// ended notes that the server has answered.
func (o *outage) ended() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures = 0
}
