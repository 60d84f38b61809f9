package authtest

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

var bearerCases = []testCase{
	{"B02 B03 each code has its status and a realm beside it", bearerCodes},
}

// leak is contained in the cause of every bad token and must not appear in any answer.
const leak = "lib-error-text"

// tokens verifies tokens of the form "id.scope.scope". Bad tokens are "expired", "forged",
// "revoked", "unknownkey" and "early". "described.X" is bad with the base64url text X as
// its description, "issuer.X" is good if X is the issuer in base64url, and "down" is an
// outage.
type tokens struct{}

const issuer = "https://issuer.example/realm"

var badTokens = map[string]core.CredentialError{
	"expired":    {Reason: core.ReasonExpired, Description: "The access token expired"},
	"forged":     {Reason: core.ReasonBadSignature, Description: "The access token is not valid"},
	"revoked":    {Reason: core.ReasonRevoked, Description: "The access token was revoked"},
	"unknownkey": {Reason: core.ReasonUnknownKey, Description: "The access token is not valid"},
	"early":      {Reason: core.ReasonNotYetValid},
}

func (tokens) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	parts := strings.Split(token, ".")
	if bad, ok := badTokens[parts[0]]; ok {
		bad.Code, bad.Err = core.CodeInvalidToken, errors.New(leak)
		return nil, &bad
	}
	switch parts[0] {
	case "down":
		return nil, errors.New(leak)
	case "described":
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		return nil, &core.CredentialError{Reason: core.ReasonMalformed, Description: string(text), Err: errors.New(leak)}
	case "issuer":
		if text, _ := base64.RawURLEncoding.DecodeString(parts[1]); string(text) != issuer {
			return nil, &core.CredentialError{Reason: core.ReasonWrongIssuer, Err: errors.New(leak)}
		}
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: parts[0], Scopes: parts[1:]})
}

// counting is tokens with a counter of calls.
type counting struct {
	tokens
	asked atomic.Int64
}

func (c *counting) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	c.asked.Add(1)
	return c.tokens.VerifyToken(ctx, token)
}

// bearerDoor serves a door that requires a token.
func bearerDoor(t *testing.T, f Framework, rules ...core.Authorizer) (*door, *Recorder) {
	t.Helper()
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, tokens{})})
	if len(rules) == 0 {
		return newDoor(t, f, Gate{Kind: "Authenticate", Guard: g}), rec
	}
	return newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: rules}), rec
}

// challenged fails the test unless a has exactly this challenge; "" for none.
func challenged(t *testing.T, what string, a Answer, want string) {
	t.Helper()
	if got := strings.Join(a.Header.Values("WWW-Authenticate"), "\n"); got != want {
		t.Errorf("%s: challenge %q, want %q", what, got, want)
	}
}

// bearerCodes checks the error codes of RFC 6750 §3 and §3.1.
func bearerCodes(t *testing.T, f Framework) {
	d, _ := bearerDoor(t, f, rule.Scope("read"))
	for _, c := range []struct {
		header, code string
		status       int
		challenge    string
	}{
		{"Accept: */*", core.CodeAuthenticationRequired, 401, `Bearer realm="r"`},
		{"Authorization: Bearer a\nAuthorization: Bearer b", core.CodeInvalidRequest, 400, `Bearer realm="r", error="invalid_request"`},
		{"Authorization: Bearer early", core.CodeInvalidToken, 401, `Bearer realm="r", error="invalid_token"`},
		{"Authorization: Bearer expired", core.CodeInvalidToken, 401, `Bearer realm="r", error="invalid_token", error_description="The access token expired"`},
		{"Authorization: Bearer bob", core.CodeInsufficientScope, 403, `Bearer realm="r", error="insufficient_scope", scope="read"`},
		{"Authorization: Bearer down", core.CodeUnavailable, 503, ""},
	} {
		challenged(t, c.header, d.refuses(c.status, c.code, c.header), c.challenge)
	}
	d.admits("bob", "Authorization: Bearer bob.read")
}
