package authclient

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// maxDiscard is how much of a discarded response's body is read, so that its
// connection can be reused. A longer body costs the connection.
const maxDiscard = 64 << 10

// RoundTrip implements [http.RoundTripper].
//
// A request is repeated only if it has no body or has GetBody, as requests of
// [http.NewRequest] for a bytes.Buffer, bytes.Reader or strings.Reader do.
// Otherwise the caller gets the first response; the credentials still count as
// refused, so that the next request is sent with new ones.
//
// The response's Request is req, without credentials. If the source cannot provide
// credentials, even after a 401, the error is a [*SourceError]. If the context of
// req ends during a wait, it is the context's error.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	switch {
	case !t.isOurs(req):
		return t.base.RoundTrip(t.bare(req))
	case t.hasOwn(req):
		return t.base.RoundTrip(req)
	}
	c := call{Transport: t, req: req, waits: t.repeats}
	sent, resp, err := c.send(req.Body)
	for err == nil {
		again, wait := c.again(sent, resp)
		if !again {
			break
		}
		discard(resp)
		if wait > 0 {
			if err := t.sleep(req.Context(), wait); err != nil {
				return nil, err
			}
		}
		var body io.ReadCloser
		if body, err = rewind(req); err != nil {
			return nil, err
		}
		sent, resp, err = c.send(body)
	}
	return resp, err
}

// call is one request of a caller. Its two budgets only shrink, so it ends whatever
// the responses are.
type call struct {
	*Transport
	req      *http.Request
	repeated bool // after a 401
	waits    int  // that may still be made
}

// attempt is a request as it was sent.
type attempt struct {
	req   *http.Request
	stamp Stamp
}

// send sends the request with credentials and closes body in any case.
func (c *call) send(body io.ReadCloser) (attempt, *http.Response, error) {
	a := attempt{req: withHeader(c.req)}
	a.req.Body = body
	stamp, err := c.source.Authorize(a.req)
	if err != nil {
		if body != nil {
			_ = body.Close() // nothing was read from it
		}
		if cause := c.req.Context().Err(); cause != nil && errors.Is(err, cause) {
			return a, nil, cause
		}
		return a, nil, &SourceError{Err: err}
	}
	a.stamp = stamp
	resp, err := c.base.RoundTrip(a.req)
	if err != nil {
		return a, nil, err
	}
	resp.Request = c.req
	return a, resp, nil
}

// canRepeat reports whether the body, if there is one, can be read again.
func canRepeat(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// rewind returns the body from its start. canRepeat must have reported true.
func rewind(r *http.Request) (io.ReadCloser, error) {
	if r.GetBody == nil || r.Body == nil {
		return r.Body, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, fmt.Errorf("authclient: read the body of the request again: %w", err)
	}
	return body, nil
}

// isIdempotent reports whether a request may be repeated if it may already have
// been applied: because of its method (RFC 9110 §9.2.2), or because the caller has
// set an idempotency key, in the field that net/http also checks.
func isIdempotent(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return len(r.Header["Idempotency-Key"]) > 0 || len(r.Header["X-Idempotency-Key"]) > 0
}

// refused tells the source of a response and reports whether to send the request
// again with other credentials.
func (c *call) refused(sent attempt, resp *http.Response) bool {
	answer := Answer{Stamp: sent.stamp, Repeated: c.repeated, Status: resp.StatusCode, Header: resp.Header}
	if resp.StatusCode == http.StatusUnauthorized {
		// Malformed challenges ask for nothing.
		answer.Challenges, _ = challenge.Parse(resp.Header["Www-Authenticate"]...)
	}
	again := c.source.Answered(sent.req, answer)
	return again && resp.StatusCode == http.StatusUnauthorized && !c.repeated &&
		canRepeat(c.req) && (!c.idempotent || isIdempotent(c.req))
}

// discard drains and closes the body of a response that the caller does not get.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxDiscard) // a connection that fails is not reused
	_ = resp.Body.Close()
}

// named returns the challenges of a scheme.
func named(cs []challenge.Challenge, scheme string) []challenge.Challenge {
	return slices.DeleteFunc(slices.Clone(cs), func(c challenge.Challenge) bool { return !strings.EqualFold(c.Scheme(), scheme) })
}
