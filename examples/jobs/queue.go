package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-go/sallyport/core/authclient"
)

const (
	// firstWait and longestWait bound the waits between tries of a job where
	// the service names none; each is twice the one before.
	firstWait   = 500 * time.Millisecond
	longestWait = time.Minute
	// maxDrain is how much of an answer is read, to use its connection again.
	maxDrain = 1 << 20
)

// queue works on jobs until each is done or has failed.
type queue struct {
	client   *http.Client
	service  string // its origin
	workers  int    // requests at a time
	attempts int    // of a job
	sleep    func(context.Context, time.Duration) error
	random   func() float64 // in [0, 1)
}

// result is what became of a job.
type result struct {
	job
	done     bool
	attempts int
	reason   string // why it failed
}

func (r result) String() string {
	text := fmt.Sprintf("done    %s %s", r.method, r.path)
	if !r.done {
		text = fmt.Sprintf("failed  %s %s: %s", r.method, r.path, r.reason)
	}
	if r.attempts > 1 {
		text += fmt.Sprintf(" (%d attempts)", r.attempts)
	}
	return text
}

// work does all jobs and returns what became of each, in their order.
func (q *queue) work(ctx context.Context, jobs []job) []result {
	results := make([]result, len(jobs))
	turns := make(chan struct{}, q.workers)
	var wg sync.WaitGroup
	for i, j := range jobs {
		wg.Go(func() { results[i] = q.see(ctx, turns, j) })
	}
	wg.Wait()
	return results
}

// see sees a job through. It holds a turn while a request is under way, and none
// while it waits.
func (q *queue) see(ctx context.Context, turns chan struct{}, j job) result {
	r := result{job: j}
	for {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			r.reason = "interrupted"
			return r
		}
		r.attempts++
		v := q.try(ctx, j)
		<-turns
		switch {
		case v.done:
			r.done = true
			return r
		case v.final || r.attempts == q.attempts:
			r.reason = v.reason
			return r
		}
		wait := v.wait
		if wait < 0 {
			wait = q.backoff(r.attempts)
		}
		if q.sleep(ctx, wait) != nil {
			r.reason = "interrupted while waiting: " + v.reason
			return r
		}
	}
}

// verdict is what one try of a job has come to.
type verdict struct {
	done   bool
	final  bool          // another try would end the same
	wait   time.Duration // before the next try; negative if nobody says
	reason string
}

// try sends the request of a job once. The key lets a service that knows such
// keys see that two requests are the same job.
func (q *queue) try(ctx context.Context, j job) verdict {
	req, err := http.NewRequestWithContext(ctx, j.method, q.service+j.path, strings.NewReader(j.body))
	if err != nil {
		return verdict{final: true, reason: err.Error()}
	}
	req.Header.Set("Idempotency-Key", j.id)
	resp, err := q.client.Do(req)
	if err != nil {
		return verdict{final: ctx.Err() != nil || isRefused(err), wait: -1, reason: reason(err)}
	}
	if err := authclient.Check(resp); err != nil {
		return refusal(err)
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // nobody asks for it
	_ = resp.Body.Close()
	switch status := resp.StatusCode; {
	case status < 300:
		return verdict{done: true}
	case status >= 500:
		return verdict{wait: -1, reason: resp.Status}
	default:
		return verdict{final: true, reason: resp.Status}
	}
}

// refusal is the verdict for an answer about access. The client has renewed its
// token already, so a 401 is as final as a 403: somebody must see to it.
func refusal(err error) verdict {
	v := verdict{final: true, reason: err.Error()}
	var forbidden *authclient.ForbiddenError
	var unavailable *authclient.UnavailableError
	switch {
	case errors.As(err, &unavailable):
		v.final, v.wait = false, unavailable.RetryAfter
	case errors.As(err, &forbidden) && len(forbidden.Scopes) > 0:
		v.reason += fmt.Sprintf("; it takes a token with the scopes %q", forbidden.Scopes)
	}
	return v
}

// backoff is how long to wait after a number of tries. It is random to a half,
// so that many clients do not come back all at once.
func (q *queue) backoff(tries int) time.Duration {
	wait := min(firstWait<<min(tries-1, 16), longestWait)
	return wait/2 + time.Duration(q.random()*float64(wait/2))
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isRefused reports whether there will be no token, however often one asks: the
// endpoint has answered and said no. That it is down is another matter.
func isRefused(err error) bool {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return false
	}
	status := refused.Response.StatusCode
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout
}

// reason is an error in words for the list of results; the answer of a token
// endpoint is left out, since it may hold anything.
func reason(err error) string {
	if isRefused(err) {
		var refused *oauth2.RetrieveError
		errors.As(err, &refused)
		return fmt.Sprintf("the token endpoint refuses this client: %q", refused.ErrorCode)
	}
	return err.Error()
}
