package core_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

func TestKindStatus(t *testing.T) {
	for kind, want := range map[core.Kind]int{
		core.Unauthenticated: 401, core.Forbidden: 403, core.Ambiguous: 400, core.Unavailable: 503, core.Faulty: 500,
		core.Limited: 429,
		core.Kind(0): 500, core.Kind(99): 500, // a kind nobody set must not let anyone in
	} {
		if got := kind.Status(); got != want {
			t.Errorf("kind %d is %d, want %d", kind, got, want)
		}
	}
}

// I04: fixed texts, one for each code.
func TestEveryCodeHasAMessageOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, code := range []string{
		core.CodeAuthenticationRequired, core.CodeInvalidCredentials, core.CodeInvalidToken, core.CodeInvalidRequest,
		core.CodeAmbiguousPath, core.CodePathTooLong, core.CodeForbidden, core.CodeInsufficientScope, core.CodeUnavailable, core.CodeInternal,
		core.CodeStepUp, core.CodeInvalidProof, core.CodeUseNonce, core.CodeCrossSite, core.CodeTooManyAttempts,
	} {
		message := core.Messages()[code]
		if other, ok := seen[message]; ok || message == "" {
			t.Errorf("%s says %q like %q", code, message, other)
		}
		seen[message] = code
	}
	if len(seen) != len(core.Messages()) {
		t.Errorf("%d messages for %d codes", len(core.Messages()), len(seen))
	}
}

// A denial may reach a body through a framework's error handler.
func TestADenialAsAnErrorTellsNoSecret(t *testing.T) {
	d := &core.Denial{Kind: core.Forbidden, Code: "forbidden", Reason: "no_rule_matched", Cause: errors.New("policy.csv:12")}
	if got := fmt.Sprint(error(d)); got != "403 forbidden" {
		t.Errorf("%q", got)
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		err   error
		want  string
		wraps bool
	}{
		{&core.CredentialError{Reason: core.ReasonExpired, Err: cause}, "expired: cause", true},
		{&core.CredentialError{Reason: core.ReasonExpired}, "expired", false},
		{&core.ScopeError{Scopes: []string{"a", "b"}}, `insufficient scope: ["a" "b"] needed`, false},
		{&core.StepUpError{StepUp: core.StepUp{ACRValues: []string{"gold"}, MaxAge: time.Minute}}, `stronger authentication needed: acr ["gold"], max age 1m0s`, false},
		{&core.LimitError{Err: cause}, "too many attempts: cause", true},
		{&core.UnavailableError{Err: cause}, "unavailable: cause", true},
		{&core.InternalError{Err: cause}, "internal error: cause", true},
		{&core.PanicError{Value: "boom"}, "panic: boom", false},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
		if errors.Is(tt.err, cause) != tt.wraps {
			t.Errorf("%v: wraps its cause: %v", tt.err, !tt.wraps)
		}
	}
}
