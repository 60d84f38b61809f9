package authclient

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The defaults of [WithWaiting].
const (
	defaultRepeats = 2
	defaultLongest = 30 * time.Second
)

// WithWaiting sets how often a request is repeated after a 429 or 503 with
// Retry-After, 2 times by default, and the longest wait, 30 seconds by default.
//
// A response that asks for a longer wait, or for more time than the request's
// context has left, is returned at once: a request is never repeated before the
// time that the service has named. So is a response without Retry-After, and one to
// a request that cannot be repeated: neither status says that the request has not
// been applied, so its method must be idempotent, or the caller must have set an
// Idempotency-Key.
func WithWaiting(repeats int, longest time.Duration) Option {
	return func(t *Transport) error {
		if repeats < 1 || longest <= 0 {
			return fmt.Errorf("waiting %d times for up to %v: both must be positive; use WithoutWaiting for none", repeats, longest)
		}
		t.repeats, t.longest = repeats, longest
		return nil
	}
}

// WithoutWaiting returns every 429 and 503 to the caller.
func WithoutWaiting() Option {
	return func(t *Transport) error {
		t.repeats = 0
		return nil
	}
}

// again decides whether to repeat a request, and uses up one of the call's budgets.
func (c *call) again(sent attempt, resp *http.Response) (again bool, wait time.Duration) {
	if c.refused(sent, resp) {
		c.repeated = true
		return true, 0
	}
	if !isWait(resp.StatusCode) || c.waits == 0 || !canRepeat(c.req) || !isIdempotent(c.req) {
		return false, 0
	}
	wait, ok := retryAfter(resp.Header, c.now)
	if !ok || wait > c.longest {
		return false, 0
	}
	if end, limited := c.req.Context().Deadline(); limited && c.now().Add(wait).After(end) {
		return false, 0
	}
	c.waits--
	return true, wait
}

func isWait(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests
}

// retryAfter returns how long a response asks the client to wait (RFC 9110
// §10.2.3). A date is taken relative to the response's own Date, so that clocks
// need not agree. ok is false unless there is a single valid field line.
func retryAfter(h http.Header, now func() time.Time) (wait time.Duration, ok bool) {
	lines := h["Retry-After"]
	if len(lines) != 1 {
		return 0, false
	}
	text := strings.Trim(lines[0], " \t")
	if text != "" && strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(math.MaxInt64/time.Second) {
			return math.MaxInt64, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	from, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		from = now()
	}
	return max(until.Sub(from), 0), true
}
