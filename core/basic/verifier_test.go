package basic

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

func TestVerifierRefusalsAre401(t *testing.T) {
	for _, c := range []struct {
		name, credentials string
		err               error
		reason            core.Reason
	}{
		{"unknown user", "x:b", nil, core.ReasonUnknownPrincipal},
		{"wrong password", "a:x", nil, core.ReasonWrongSecret},
		{"wrapped unknown user", "a:b", fmt.Errorf("store: %w", ErrUnknownUser), core.ReasonUnknownPrincipal},
		{"refusal of the verifier's own", "a:b",
			&core.CredentialError{Reason: "locked", Code: core.CodeInvalidCredentials, Err: ErrWrongPassword}, "locked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := mustNew(t, &spy{user: "a", password: "b", err: c.err})
			r := &request{authorization: []string{"Basic " + encoded(c.credentials)}}
			_, err := a.Authenticate(t.Context(), r)
			wantRefusal(t, a, r, err, c.reason)
			if c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

// An error that is not one of the refusals must not become 401, nor a guest.
func TestVerifierOutagesAreNoRefusal(t *testing.T) {
	down := &core.UnavailableError{RetryAfter: 7 * time.Second, Err: errors.New("directory is down")}
	plain := errors.New("connection refused")
	for _, c := range []struct {
		name     string
		err      error
		same     bool // passed on as it is
		retry    time.Duration
		internal bool
	}{
		{"unavailable", fmt.Errorf("store: %w", down), true, 7 * time.Second, false},
		{"any other error", plain, true, 0, false},
		{"context ended", context.DeadlineExceeded, true, 0, false},
		{"unknown here, down there", errors.Join(ErrUnknownUser, down), true, 7 * time.Second, false},
		{"refused here, down there", errors.Join(&core.CredentialError{}, down), false, 7 * time.Second, false},
		{"no credentials, down", &core.UnavailableError{RetryAfter: time.Second, Err: core.ErrNoCredentials}, false, time.Second, false},
		{"no credentials", fmt.Errorf("store: %w", core.ErrNoCredentials), false, 0, true},
		{"ambiguous", core.ErrAmbiguousCredentials, false, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := mustNew(t, &spy{err: c.err})
			p, err := a.Authenticate(t.Context(), &request{authorization: []string{"Basic " + encoded("a:b")}})
			if p != nil || err == nil {
				t.Fatalf("%v, %v", p, err)
			}
			if errors.Is(err, c.err) != c.same {
				t.Errorf("error %v, passed on as it is: want %v", err, c.same)
			}
			var bad *core.CredentialError
			if errors.As(err, &bad) || errors.Is(err, core.ErrNoCredentials) || errors.Is(err, core.ErrAmbiguousCredentials) {
				t.Errorf("error %v is read as something other than an outage", err)
			}
			var u *core.UnavailableError
			if errors.As(err, &u); c.retry != 0 && (u == nil || u.RetryAfter != c.retry) {
				t.Errorf("error %v, want an UnavailableError with %v", err, c.retry)
			}
			var internal *core.InternalError
			if errors.As(err, &internal) != c.internal {
				t.Errorf("error %v, InternalError: want %v", err, c.internal)
			}
		})
	}
}

func TestVerifierWithoutAnAnswer(t *testing.T) {
	a := mustNew(t, VerifierFunc(func(context.Context, string, string) (*core.Principal, error) { return nil, nil }))
	p, err := a.Authenticate(t.Context(), &request{authorization: []string{"Basic " + encoded("a:b")}})
	var internal *core.InternalError
	if p != nil || !errors.As(err, &internal) {
		t.Errorf("%v, %v; want an InternalError", p, err)
	}
}
