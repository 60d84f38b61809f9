package introspect_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// TestRevocation: a token that the server still calls active, or whose answer is kept, is
// refused at once when this service has revoked it.
func TestRevocation(t *testing.T) {
	at := start.Add(-time.Minute)
	issued := []any{"jti", "j", "iat", at.Unix()}
	for name, c := range map[string]struct {
		members []any
		opts    []introspect.Option
		entry   revoke.Entry
		revoked bool
	}{
		"by jti":                {issued, nil, revoke.Entry{ID: "j"}, true},
		"another jti":           {issued, nil, revoke.Entry{ID: "k"}, false},
		"by jti and issuer":     {issued, nil, revoke.Entry{ID: "j", Issuer: issuer}, true},
		"of another issuer":     {issued, nil, revoke.Entry{ID: "j", Issuer: "https://other.example"}, false},
		"by sub":                {issued, nil, revoke.Entry{Subject: "alice", IssuedBefore: at}, true},
		"issued later":          {issued, nil, revoke.Entry{Subject: "alice", IssuedBefore: at.Add(-time.Second)}, false},
		"without iat":           {nil, nil, revoke.Entry{Subject: "alice", IssuedBefore: at}, true},
		"another user":          {issued, nil, revoke.Entry{Subject: "bob", IssuedBefore: at}, false},
		"by the principal's ID": {issued, []introspect.Option{introspect.WithIDPrefix("staff:")}, revoke.Entry{Subject: "staff:alice", IssuedBefore: at}, true},
		"a client":              {append([]any{"sub", nil, "client_id", "job"}, issued...), nil, revoke.Entry{Subject: "client:job", IssuedBefore: at}, true},
		"all":                   {issued, nil, revoke.Entry{All: true, IssuedBefore: at}, true},
	} {
		for _, bound := range []bool{false, true} {
			list, err := revoke.New()
			if err != nil {
				t.Fatal(err)
			}
			members := c.members
			if bound {
				members = append([]any{"cnf", map[string]any{"jkt": thumbprint}, "token_type", "DPoP"}, members...)
			}
			e := newEndpoint(t, says(good(members...)))
			v, _ := newVerifier(t, e.URL, append([]introspect.Option{introspect.WithRevocation(list)}, c.opts...)...)
			verify := func() error {
				if bound {
					_, _, err := v.VerifyBoundToken(t.Context(), "opaque")
					return err
				}
				_, err := v.VerifyToken(t.Context(), "opaque")
				return err
			}
			if err := verify(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := list.Revoke(c.entry); err != nil {
				t.Fatal(err)
			}
			switch err := verify(); {
			case c.revoked:
				refusedFor(t, err, core.ReasonRevoked)
			case err != nil:
				t.Errorf("%s: %v", name, err)
			}
			if e.asked.Load() != 1 {
				t.Errorf("%s: asked %d times", name, e.asked.Load())
			}
		}
	}
}

// awayList is a list that cannot answer.
type awayList struct{}

var errList = errors.New("the list is away")

func (awayList) Revoked(context.Context, revoke.Token) (bool, error) { return false, errList }

// TestRevocationsThatCannotBeAsked: 503, for the list and for an answer that cannot be
// looked up in one.
func TestRevocationsThatCannotBeAsked(t *testing.T) {
	e := newEndpoint(t, says(good()))
	v, _ := newVerifier(t, e.URL, introspect.WithRevocation(awayList{}))
	_, err := v.VerifyToken(t.Context(), "opaque")
	if unavailable(t, err); !errors.Is(err, errList) {
		t.Error(err)
	}
	list, err := revoke.New()
	if err != nil {
		t.Fatal(err)
	}
	e.set(says(good("jti", 7)))
	v, _ = newVerifier(t, e.URL, introspect.WithRevocation(list))
	_, err = v.VerifyToken(t.Context(), "opaque")
	unavailable(t, err)
	if _, err := introspect.New(e.URL, introspect.Secret("me", "secret"), introspect.WithRevocation(nil)); err == nil {
		t.Error("revocations that are nil")
	}
}
