package bearer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

const schemeName = "Bearer"

var (
	errNoToken   = errors.New("no token after the scheme")
	errSeparator = errors.New("scheme and token are not separated by spaces")
	errGrammar   = errors.New("not a b64token (RFC 6750 §2.1)")
)

// token is the token in an Authorization field. Its size is looked at before
// its characters; a b64token is what RFC 9110 §11.2 calls a token68.
func (a *Authenticator) token(field string) (string, error) {
	scheme, token, ok := challenge.Split(field)
	switch {
	case !strings.EqualFold(scheme, schemeName):
		return "", core.ErrNoCredentials
	case !ok:
		return "", malformed(errSeparator)
	case token == "":
		return "", malformed(errNoToken)
	case len(token) > a.maxSize:
		return "", malformed(fmt.Errorf("token of %d bytes, at most %d are accepted", len(token), a.maxSize))
	case !challenge.IsToken68(token):
		return "", malformed(errGrammar)
	}
	return token, nil
}

// malformed refuses what stands in the place of a token.
func malformed(err error) error {
	return &core.CredentialError{
		Reason:      core.ReasonMalformed,
		Code:        core.CodeInvalidToken,
		Description: "The access token is malformed",
		Err:         err,
	}
}
