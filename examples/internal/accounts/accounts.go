// Package accounts knows the state of the demo users' accounts, in memory or
// from an account service.
package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

const (
	// timeout is how long one request to the account service may take.
	timeout = 2 * time.Second
	// retryAfter is what a client is told to wait while the service is down.
	retryAfter = 10 * time.Second
	// maxBody is more than any answer of the service has.
	maxBody = 1 << 10
)

// suspended are the accounts that are not active. All others are, so that the
// examples work with any token issuer.
var suspended = map[string]bool{"sam": true}

// BuiltIn is a lookup that needs nothing else to run.
func BuiltIn(_ context.Context, p *core.Principal) (rule.AccountState, error) {
	return stateOf(p.ID()), nil
}

func stateOf(id string) rule.AccountState {
	if suspended[id] {
		return rule.AccountSuspended
	}
	return rule.AccountActive
}

// answer is what the account service says about an account.
type answer struct {
	State string `json:"state"`
}

// Handler is the account service: GET ?id=NAME answers with the state.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer{stateOf(r.URL.Query().Get("id")).String()}) // the client has gone
	})
}

// Service is a lookup that asks the account service at address, at every
// request. An answer that does not come within two seconds, or is none, is a
// [core.UnavailableError]: nobody is refused, and nobody let in, because the
// service is down.
func Service(address string) (rule.AccountLookup, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("account service: its address is not a URL")
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("account service %q: give an http or https URL", base.Redacted())
	}
	client := &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context, p *core.Principal) (rule.AccountState, error) {
		at := *base
		at.RawQuery = url.Values{"id": {p.ID()}}.Encode()
		state, err := ask(ctx, client, at.String())
		if err != nil {
			return rule.AccountUnknown, &core.UnavailableError{RetryAfter: retryAfter, Err: fmt.Errorf("account service: %w", err)}
		}
		return state, nil
	}, nil
}

func ask(ctx context.Context, client *http.Client, address string) (rule.AccountState, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		if about, ok := errors.AsType[*url.Error](err); ok {
			err = about.Err // without the address, whose query names the user
		}
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %d", resp.StatusCode)
	}
	var a answer
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&a); err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	return parseState(a.State)
}

func parseState(s string) (rule.AccountState, error) {
	for _, state := range []rule.AccountState{rule.AccountActive, rule.AccountSuspended, rule.AccountClosed} {
		if state.String() == s {
			return state, nil
		}
	}
	return 0, fmt.Errorf("unknown state %q", s)
}
