package basic

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// decode extracts user and password from a token68 (RFC 7617 §2). Its errors name
// the fault but reveal nothing of the content.
func (a *Authenticator) decode(token string) (user, password string, err error) {
	// Go's base64 decoder skips line breaks; a token68 has none.
	if !challenge.IsToken68(token) {
		return "", "", malformed("no token68 after the scheme")
	}
	raw, err := a.encoding.DecodeString(token)
	if err != nil {
		return "", "", malformed("credentials are not padded standard base64")
	}
	text := string(raw)
	user, password, found := strings.Cut(text, ":")
	if !found {
		return "", "", malformed("no colon between user and password")
	}
	if err := checkForm(user, password); err != nil {
		return "", "", err
	}
	return user, password, nil
}

// checkForm refuses users and passwords that no [Verifier] gets to see.
func checkForm(user, password string) error {
	switch {
	case user == "":
		return malformed("empty user")
	case password == "":
		return malformed("empty password")
	case !utf8.ValidString(user) || !utf8.ValidString(password):
		return malformed("user or password is not valid UTF-8")
	case strings.ContainsFunc(user, unicode.IsControl) || strings.ContainsFunc(password, unicode.IsControl):
		return malformed("control character in user or password")
	}
	return nil
}

// malformed returns the error for credentials that cannot be read.
func malformed(what string) error {
	return refused(core.ReasonMalformed, errors.New("basic: "+what))
}

// refused returns the error for a 401. All refusals look the same to the client, so
// that none tells whether a user exists.
func refused(reason core.Reason, cause error) error {
	return &core.CredentialError{Reason: reason, Code: core.CodeInvalidCredentials, Err: cause}
}
