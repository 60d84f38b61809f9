package bearer

import (
	"errors"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// Challenges implements [core.Authenticator] by RFC 6750 §3: no error code
// without credentials; invalid_token for a [core.CredentialError], with its
// Description if that is printable ASCII without quote and backslash;
// insufficient_scope with all scopes needed for a [core.ScopeError]; and one
// invalid_request for [core.ErrAmbiguousCredentials]. For any other error
// there is none, since signing in would not help.
func (a *Authenticator) Challenges(_ core.Request, err error) []challenge.Challenge {
	if errors.Is(err, core.ErrNoCredentials) {
		return a.plain
	}
	if errors.Is(err, core.ErrAmbiguousCredentials) {
		return a.invalidRequest
	}
	var scope *core.ScopeError
	if errors.As(err, &scope) {
		return a.insufficientScope(scope.Scopes)
	}
	var bad *core.CredentialError
	if !errors.As(err, &bad) {
		return nil
	}
	if bad.Description == "" || !isPlain(bad.Description) {
		return a.invalidToken
	}
	c, err := a.with(
		challenge.Param{Name: "error", Value: core.CodeInvalidToken},
		challenge.Param{Name: "error_description", Value: bad.Description})
	if err != nil {
		return a.invalidToken
	}
	return []challenge.Challenge{c}
}

// insufficientScope leaves out scopes that no token could carry (RFC 6749
// §3.3), since they would change the meaning of the list.
func (a *Authenticator) insufficientScope(scopes []string) []challenge.Challenge {
	var list strings.Builder
	for _, s := range scopes {
		if !isScopeToken(s) {
			continue
		}
		if list.Len() > 0 {
			list.WriteByte(' ')
		}
		list.WriteString(s)
	}
	params := []challenge.Param{{Name: "error", Value: core.CodeInsufficientScope}}
	if list.Len() > 0 {
		params = append(params, challenge.Param{Name: "scope", Value: list.String()})
	}
	c, err := a.with(params...)
	if err != nil {
		return nil
	}
	return []challenge.Challenge{c}
}

// render makes the challenges that never change; it fails for a realm that
// cannot be sent.
func (a *Authenticator) render() error {
	for _, static := range []struct {
		to     *[]challenge.Challenge
		params []challenge.Param
	}{
		{&a.plain, nil},
		{&a.invalidToken, []challenge.Param{{Name: "error", Value: core.CodeInvalidToken}}},
		{&a.invalidRequest, []challenge.Param{{Name: "error", Value: core.CodeInvalidRequest}}},
	} {
		c, err := a.with(static.params...)
		if err != nil {
			return err
		}
		*static.to = []challenge.Challenge{c}
	}
	return nil
}

// with is a challenge of the realm and params.
func (a *Authenticator) with(params ...challenge.Param) (challenge.Challenge, error) {
	return challenge.New(schemeName, append([]challenge.Param{a.realm}, params...)...)
}

// isScopeToken reports whether s is a scope-token of RFC 6749 §3.3.
func isScopeToken(s string) bool { return s != "" && isPlain(s) && strings.IndexByte(s, ' ') < 0 }

// isPlain reports whether s is printable ASCII without quote and backslash,
// as RFC 6750 §3 wants of a scope list and an error_description.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
