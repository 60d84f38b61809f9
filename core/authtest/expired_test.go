package authtest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
)

var expiredCases = []testCase{
	{"credentials that are over pass an Optional gate where it says so", expiredAsAnonymous},
	{"invariant 1 gates behind it say why nobody is signed in", expiredBehind},
	{"invariant 1 expired credentials are 401 without the option", expiredRefused},
}

// ended lists credentials that have expired, and invalid ones that have not.
var (
	overReasons = map[string]*core.CredentialError{
		"expired": {Reason: core.ReasonExpired, Code: core.CodeInvalidToken},
		"ended":   {Reason: "unknown_session", Code: core.CodeInvalidCredentials, Ended: true},
	}
	faultyReasons = map[string]error{
		"forged":    &core.CredentialError{Reason: core.ReasonBadSignature, Code: core.CodeInvalidToken},
		"malformed": &core.CredentialError{Reason: core.ReasonMalformed, Code: core.CodeInvalidToken},
		"unknown":   &core.CredentialError{Reason: core.ReasonUnknownPrincipal, Code: core.CodeInvalidCredentials},
		"wrong":     &core.CredentialError{Reason: core.ReasonWrongSecret, Code: core.CodeInvalidCredentials},
		"revoked":   &core.CredentialError{Reason: core.ReasonRevoked, Code: core.CodeInvalidToken},
		"down":      errors.Join(errors.New("key server"), overReasons["expired"], &core.UnavailableError{}),
	}
)

// lifetimes is a bearer scheme whose tokens fail as their names say, with a cookie of the
// same kind, guarded by a policy that lets guests in with GET.
func lifetimes(t *testing.T) (*core.Guard, *Recorder) {
	t.Helper()
	verify := tokenVerifier(func(token string) (*core.Principal, error) {
		if err := overReasons[token]; err != nil {
			return nil, err
		}
		if err := faultyReasons[token]; err != nil {
			return nil, err
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: token})
	})
	a, err := bearer.New("r", verify)
	if err != nil {
		t.Fatal(err)
	}
	return guardOf(t, []core.Authenticator{taking{a}, sessions{}}, core.WithAuthorizer(guests{only("alice")}))
}

type tokenVerifier func(token string) (*core.Principal, error)

func (f tokenVerifier) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return f(token)
}

// taking clears the cookie when it has expired.
type taking struct{ core.Authenticator }

func (w taking) Scheme() core.Scheme {
	s := w.Authenticator.Scheme()
	s.Inform = func(_ core.Request, _ *core.Principal, err error) []core.Field {
		if bad := new(core.CredentialError); !errors.As(err, &bad) {
			return nil
		}
		return []core.Field{{Name: "Set-Cookie", Value: "old=; Max-Age=0"}}
	}
	return s
}

func expiredAsAnonymous(t *testing.T, f Framework) {
	g, rec := lifetimes(t)
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g, Options: []core.GateOption{core.WithExpiredAsAnonymous()}})
	for token, err := range overReasons {
		a := d.admits("anonymous", "Authorization: Bearer "+token, "Cookie: session=carol")
		if got := a.Header.Values("Set-Cookie"); len(got) != 1 || a.vary() != "authorization cookie" {
			t.Errorf("%s: Set-Cookie %q, Vary %q", token, got, a.vary())
		}
		e := rec.Last(t)
		if e.Outcome != core.OutcomeAllowed || e.Reason != core.ReasonExpiredAnonymous || e.Scheme != "Bearer" || e.PrincipalID != "" || !errors.Is(e.Cause, err) {
			t.Errorf("%s: event %+v", token, e)
		}
	}
	d.admits("alice", "Authorization: Bearer alice")
	d.admits("carol", "Cookie: session=carol")
	d.admits("anonymous")
	if e := rec.Last(t); e.Reason != core.ReasonAnonymous {
		t.Errorf("event %+v", e)
	}
	for token := range faultyReasons {
		status := http.StatusUnauthorized
		if token == "down" {
			status = http.StatusServiceUnavailable
		}
		if a := d.get("Authorization: Bearer " + token); a.Status != status {
			t.Errorf("%s: %d", token, a.Status)
		}
	}
	if a := d.get("Authorization: Bearer expired", "Authorization: Bearer expired"); a.Status != http.StatusBadRequest {
		t.Errorf("two lines: %d", a.Status)
	}
}

func expiredBehind(t *testing.T, f Framework) {
	g, rec := lifetimes(t)
	optional := Gate{Kind: "Optional", Guard: g, Options: []core.GateOption{core.WithExpiredAsAnonymous()}}
	newDoor(t, f, optional, Gate{Kind: "Authorize", Guard: g}).admits("anonymous", "Authorization: Bearer expired")
	newDoor(t, f, Gate{Kind: "Authorize", Guard: g, Options: optional.Options}).admits("anonymous", "Authorization: Bearer expired")
	for _, next := range []Gate{{Kind: "Authenticate", Guard: g}, {Kind: "Require", Guard: g, Rules: []core.Authorizer{only("alice")}}, {Kind: "Optional", Guard: variant(t, g, core.WithSchemes("Bearer"))}} {
		d := newDoor(t, f, optional, next)
		if next.Kind == "Optional" {
			d.admits("anonymous", "Authorization: Bearer expired")
			continue
		}
		a := d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, "Authorization: Bearer expired")
		if v := strings.Join(a.Header.Values("WWW-Authenticate"), ", "); !strings.Contains(v, `error="invalid_token"`) {
			t.Errorf("%s: challenges %q", next.Kind, v)
		}
		if e := rec.Last(t); e.Reason != core.ReasonExpired || e.Scheme != "Bearer" {
			t.Errorf("%s: event %+v", next.Kind, e)
		}
	}
}

func expiredRefused(t *testing.T, f Framework) {
	g, _ := lifetimes(t)
	for _, kind := range kinds {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})
		for token := range overReasons {
			if a := d.get("Authorization: Bearer " + token); a.Status != http.StatusUnauthorized {
				t.Errorf("%s, %s: %d", kind, token, a.Status)
			}
		}
	}
}
