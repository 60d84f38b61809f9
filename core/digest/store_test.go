package digest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// storeFunc adapts a function to a store.
type storeFunc func(realm, user string, a Algorithm) (Entry, error)

func (f storeFunc) FindUser(_ context.Context, realm, user string, a Algorithm) (Entry, error) {
	return f(realm, user, a)
}

// TestStoreErrors: of all errors, only an unknown user is the client's fault.
func TestStoreErrors(t *testing.T) {
	broken := errors.New("connection refused")
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	a1 := hashA1(t, SHA256, "bob", secret)
	for _, c := range []struct {
		name  string
		entry Entry
		err   error
		want  string // "401", "500" or "503"
		retry time.Duration
	}{
		{"unknown", Entry{}, ErrUnknownUser, "401", 0},
		{"unknown, with more", Entry{p, a1}, errors.Join(ErrUnknownUser, errors.New("x")), "401", 0},
		{"down", Entry{}, broken, "503", 0},
		{"down, though there is an entry", Entry{p, a1}, broken, "503", 0},
		{"down and how long", Entry{}, &core.UnavailableError{RetryAfter: time.Minute, Err: broken}, "503", time.Minute},
		{"unknown here and down there", Entry{}, errors.Join(ErrUnknownUser, &core.UnavailableError{Err: broken}), "503", 0},
		{"no credentials", Entry{}, core.ErrNoCredentials, "503", 0},
		{"a refusal of its own", Entry{}, &core.CredentialError{Reason: core.ReasonRevoked, Code: "x"}, "503", 0},
		{"a fault", Entry{}, &core.InternalError{Err: broken}, "500", 0},
		{"nothing", Entry{}, nil, "500", 0},
		{"no principal", Entry{A1: a1}, nil, "500", 0},
		{"no hash", Entry{Principal: p}, nil, "500", 0},
		{"a hash of another algorithm", Entry{p, a1[:32]}, nil, "500", 0},
		{"a hash in upper case", Entry{p, strings.ToUpper(a1)}, nil, "500", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := mustNew(t, storeFunc(func(string, string, Algorithm) (Entry, error) { return c.entry, c.err }))
			got, err := a.Authenticate(t.Context(), get(answers(t, a, SHA256).String()))
			if got != nil {
				t.Fatal("passed")
			}
			var internal *core.InternalError
			var down *core.UnavailableError
			switch {
			case c.want == "401":
				if reason(t, err) != core.ReasonUnknownPrincipal {
					t.Errorf("%v", err)
				}
			case errors.As(err, &internal):
				if c.want != "500" {
					t.Errorf("%v is internal", err)
				}
			case !errors.As(err, &down) || c.want != "503" || down.RetryAfter != c.retry:
				t.Errorf("%v, want %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), a1[:8]) {
				t.Errorf("D19: a hash is leaked in %v", err)
			}
		})
	}
}

func TestStoreIsAskedOnlyForOfferedAlgorithms(t *testing.T) {
	var asked []string
	a := mustNew(t, storeFunc(func(realm, user string, a Algorithm) (Entry, error) {
		asked = append(asked, realm+" "+user+" "+string(a))
		return Entry{}, ErrUnknownUser
	}))
	m := answers(t, a, SHA256)
	for _, field := range []string{
		m.with("algorithm", "MD5").String(), m.with("nonce", "x").String(), m.with("realm", "x").String(),
		m.with("uri", "/").String(), m.String(),
	} {
		if _, err := a.Authenticate(t.Context(), get(field)); err == nil {
			t.Errorf("passed: %s", field)
		}
	}
	if len(asked) != 1 || asked[0] != realm+" bob SHA-256" {
		t.Errorf("asked for %q", asked)
	}
}
