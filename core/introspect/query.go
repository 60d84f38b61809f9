package introspect

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
)

const (
	// maxAnswer is the maximum size of an answer in bytes. Its members end up in
	// principals, so more would be of no use.
	maxAnswer = 64 << 10
	// maxHold bounds how long a Retry-After stops calls to the server.
	maxHold = time.Minute
)

// query sends one introspection request (RFC 7662 §2.1) and decodes the answer.
// Every error is a [core.UnavailableError] or a [core.InternalError]: a failure
// here says nothing about the token.
func (v *Verifier) query(ctx context.Context, token string) (answer, error) {
	done, err := v.outage.admit(v.terms.Now())
	if err != nil {
		return answer{}, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	select {
	case v.slots <- struct{}{}:
		defer func() { <-v.slots }()
	case <-ctx.Done():
		return answer{}, unavailable(fmt.Errorf("%d calls are in progress: %w", v.concurrency, ctx.Err()))
	}
	request, err := v.request(ctx, token)
	if err != nil {
		return answer{}, unavailable(err)
	}
	response, err := v.http.Do(request)
	if err != nil {
		v.outage.failed(v.terms.Now(), 0)
		return answer{}, unavailable(quiet.Error(err))
	}
	defer response.Body.Close()
	return v.decodeResponse(response)
}

func (v *Verifier) request(ctx context.Context, token string) (*http.Request, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, quiet.Error(err)
	}
	field, err := v.client.authorization(ctx)
	if err != nil {
		return nil, err
	}
	r.Header = http.Header{
		"Authorization": {field},
		"Content-Type":  {"application/x-www-form-urlencoded"},
		"Accept":        {"application/json"},
		// Asking twice is harmless. Without values this field is not sent, but
		// tells net/http that it may retry on a new connection.
		"Idempotency-Key": nil,
	}
	return r, nil
}

// decodeResponse takes an answer from the response.
func (v *Verifier) decodeResponse(response *http.Response) (answer, error) {
	if response.StatusCode != http.StatusOK {
		wait := retryAfter(response.Header.Get("Retry-After"), v.terms.Now())
		if isOutage(response.StatusCode) {
			v.outage.failed(v.terms.Now(), wait)
		} else {
			v.outage.ended()
		}
		return answer{}, &core.UnavailableError{RetryAfter: wait, Err: fmt.Errorf("introspect: %s", complaint(response.StatusCode))}
	}
	v.outage.ended()
	mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return answer{}, unavailable(errors.New("the endpoint's answer is not application/json"))
	}
	body, err := bounded.Body(response, maxAnswer)
	if err != nil {
		return answer{}, unavailable(fmt.Errorf("answer: %w", err))
	}
	a, err := decode(string(body))
	if err != nil {
		return answer{}, unavailable(fmt.Errorf("answer: %w", err))
	}
	return a, nil
}

func complaint(status int) string {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Sprintf("the endpoint refuses this client with %d: check its credentials", status)
	case status/100 == 3:
		return fmt.Sprintf("the endpoint redirects with %d, which is not followed: give its final address", status)
	}
	return fmt.Sprintf("the endpoint answers %d", status)
}

// retryAfter returns how long a Retry-After field asks to wait (RFC 9110 §10.2.3),
// at most maxHold; zero for none.
func retryAfter(field string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(field, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxHold/time.Second))) * time.Second
	}
	date, err := http.ParseTime(field)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxHold)
}

func unavailable(err error) error {
	return &core.UnavailableError{Err: fmt.Errorf("introspect: %w", err)}
}
