// Package tokenscheme contains what Bearer (RFC 6750) and DPoP (RFC 9449) have in common:
// schemes with an access token in the Authorization field.
package tokenscheme

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/lent"
)

// DefaultMaxTokenSize exceeds the usual server limits for the whole header, so it only
// matters in deployments that have raised these.
const DefaultMaxTokenSize = 16 << 10

var (
	errNoToken   = errors.New("no token after the scheme")
	errSeparator = errors.New("scheme and token are not separated by spaces")
	errGrammar   = errors.New("not a b64token (RFC 6750 §2.1)")
)

// Token returns the token of the given scheme in r's Authorization field.
//
// For another scheme the error is [core.ErrNoCredentials], and for two fields
// [core.ErrAmbiguousCredentials]. A malformed token is a [core.CredentialError].
func Token(r core.Request, scheme string, maxSize int) (string, error) {
	field, n := r.Header("Authorization")
	token, err := tokenOf(field, n, scheme, maxSize)
	if err != nil {
		return "", err
	}
	return Check(token, maxSize)
}

// LentToken is [Token] for callers that do not retain the token ([lent.Header]), and that
// reject malformed tokens themselves: a known token need not be checked character by
// character.
func LentToken(r core.Request, scheme string, maxSize int) (string, error) {
	field, n := lent.Header(r, "Authorization")
	return tokenOf(field, n, scheme, maxSize)
}

func tokenOf(field string, n int, scheme string, maxSize int) (string, error) {
	switch {
	case n == 0:
		return "", core.ErrNoCredentials
	case n > 1:
		return "", fmt.Errorf("%w: %d Authorization lines", core.ErrAmbiguousCredentials, n)
	}
	name, token, ok := challenge.Split(field)
	switch {
	case name != scheme && !strings.EqualFold(name, scheme):
		return "", core.ErrNoCredentials
	case !ok:
		return "", malformed(errSeparator)
	}
	return token, checkSize(token, maxSize)
}

// Check rejects anything but a token. It checks the size before the characters. A b64token
// is what RFC 9110 §11.2 calls token68.
func Check(token string, maxSize int) (string, error) {
	if err := checkSize(token, maxSize); err != nil {
		return "", err
	}
	if !challenge.IsToken68(token) {
		return "", malformed(errGrammar)
	}
	return token, nil
}

func checkSize(token string, maxSize int) error {
	switch {
	case token == "":
		return malformed(errNoToken)
	case len(token) > maxSize:
		return malformed(fmt.Errorf("token of %d bytes, at most %d are accepted", len(token), maxSize))
	}
	return nil
}

// Sent reports whether r's first Authorization field uses the given scheme.
func Sent(r core.Request, scheme string) bool {
	field, _ := lent.Header(r, "Authorization")
	name, _, _ := challenge.Split(field)
	return strings.EqualFold(name, scheme)
}

// malformed returns the error for a malformed token.
func malformed(err error) error {
	return &core.CredentialError{
		Reason:      core.ReasonMalformed,
		Code:        core.CodeInvalidToken,
		Description: "The access token is malformed",
		Err:         err,
	}
}

// Verdict converts the error of a token verifier for the guard. The codes in body and
// challenge must agree, so there is one code for all bad tokens.
func Verdict(err error) error {
	if errors.Is(err, core.ErrNoCredentials) {
		// Not wrapped: the guard would take a refused token for an anonymous
		// request.
		return &core.InternalError{Err: fmt.Errorf("verifier reports no credentials for a token that was sent: %v", err)}
	}
	var bad *core.CredentialError
	if errors.Is(err, core.ErrAmbiguousCredentials) || !errors.As(err, &bad) {
		return err
	}
	if bad.Code == core.CodeInvalidToken {
		return err
	}
	return &core.CredentialError{
		Reason:      bad.Reason,
		Code:        core.CodeInvalidToken,
		Description: bad.Description,
		Ended:       bad.Ended,
		Err:         err,
	}
}
