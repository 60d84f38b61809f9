package jwtauth

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// logoutEvent is the event of a logout token (OpenID Connect Back-Channel Logout
// 1.0 §2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// LogoutToken is the content of a logout token: the sessions with SessionID end, or
// if it is "", all sessions of Subject.
type LogoutToken struct {
	Issuer             string // iss
	Subject, SessionID string // sub and sid, of which at least one is not ""
	ID                 string // jti, for refusing the token a second time
	IssuedAt, Expires  time.Time
}

// LogoutVerifier verifies the logout tokens by which an OpenID provider ends
// sessions (OpenID Connect Back-Channel Logout 1.0 §2.6). It accepts no other
// tokens, and no [Verifier] accepts logout tokens. It is safe for concurrent use.
type LogoutVerifier struct{ tokens *Verifier }

// NewLogoutVerifier returns a verifier of the logout tokens that issuer signs for
// client with one of keys. Options about principals have no effect; those that
// accept any issuer, any audience or no expiry are errors.
func NewLogoutVerifier(keys KeySource, issuer, client string, opts ...Option) (*LogoutVerifier, error) {
	v, err := New(keys, append([]Option{WithIssuer(issuer), WithAudience(client), WithCacheSize(0)}, opts...)...)
	switch {
	case err != nil:
		return nil, err
	case v.noExpiry || v.profile || v.template != nil:
		return nil, errors.New("jwtauth: WithoutExpiry, WithAccessTokenProfile or WithIssuerTemplate for logout tokens: remove it")
	}
	return &LogoutVerifier{v}, nil
}

// VerifyLogout returns the content of token. For an invalid token the error is a
// [core.CredentialError] with a reason, as from [Verifier.VerifyToken]; if there
// are no keys to verify it with, it is a [core.UnavailableError]. The caller checks
// by its ID whether the token was used before.
func (v *LogoutVerifier) VerifyLogout(ctx context.Context, token string) (*LogoutToken, error) {
	if len(token) > v.tokens.maxSize {
		return nil, refuse(core.ReasonMalformed, "token of %d bytes, at most %d are accepted", len(token), v.tokens.maxSize)
	}
	t, err := v.tokens.open(ctx, token, nil)
	if err != nil {
		return nil, err
	}
	if err := checkLogoutType(t.header.typ, t.claims); err != nil {
		return nil, err
	}
	if err := v.tokens.checkIssuer(t.claims, t.key); err != nil {
		return nil, err
	}
	if err := v.tokens.checkAudience(t.claims); err != nil {
		return nil, err
	}
	times, err := v.tokens.validityOf(t.claims)
	if err != nil {
		return nil, err
	}
	if err := v.tokens.checkTimes(times, v.tokens.terms.Now()); err != nil {
		return nil, err
	}
	if times.iat.IsZero() {
		return nil, refuse(core.ReasonBadClaim, "no iat")
	}
	if err := v.tokens.checkDevelopment(ctx, t.key); err != nil {
		return nil, err
	}
	return logoutToken(t.claims, times)
}

// checkLogoutType requires what tells a logout token from the issuer's other
// tokens: its event, no nonce, and no typ of another kind of token.
func checkLogoutType(typ string, c claims.Set) error {
	if len(typ) > len("application/") && strings.EqualFold(typ[:len("application/")], "application/") {
		typ = typ[len("application/"):]
	}
	if typ != "" && !strings.EqualFold(typ, "JWT") && !strings.EqualFold(typ, "logout+jwt") {
		return refuse(core.ReasonWrongType, "header: typ is %.64q: not a logout token", typ)
	}
	events, _ := c["events"].(map[string]any)
	if _, ok := events[logoutEvent].(map[string]any); !ok {
		return refuse(core.ReasonWrongType, "events has no member %s that is an object: not a logout token", logoutEvent)
	}
	if _, ok := c["nonce"]; ok {
		return refuse(core.ReasonWrongType, "the token has a nonce: not a logout token")
	}
	return nil
}

// logoutToken reads the claims that say which sessions end.
func logoutToken(c claims.Set, times validity) (*LogoutToken, error) {
	t := &LogoutToken{IssuedAt: times.iat, Expires: times.exp}
	for name, to := range map[string]*string{"iss": &t.Issuer, "sub": &t.Subject, "sid": &t.SessionID, "jti": &t.ID} {
		var err error
		if *to, err = text(c, claims.Path{name}); err != nil {
			return nil, err
		}
	}
	switch {
	case t.Subject == "" && t.SessionID == "":
		return nil, refuse(core.ReasonBadClaim, "neither sub nor sid")
	case t.ID == "":
		return nil, refuse(core.ReasonBadClaim, "no jti")
	}
	return t, nil
}
