package basic

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
)

// maxForm is the maximum length in bytes of a form's user and password together:
// what [MaxBytes] leaves for those of the scheme.
const maxForm = 6 << 10

// VerifyForm checks a user and password that did not come in the Authorization
// field, such as those of a sign-in form, as the scheme checks its own: malformed
// ones are refused without asking v, and the errors of v are mapped as [Verifier]
// says. The error is suitable for [core.Guard.SignIn]. A user with a colon, which
// the scheme cannot send, is malformed here too.
func VerifyForm(ctx context.Context, v Verifier, user, password string) (*core.Principal, error) {
	if err := checkForm(user, password); err != nil {
		return nil, err
	}
	switch {
	case strings.Contains(user, ":"):
		return nil, malformed("colon in user")
	case len(user)+len(password) > maxForm:
		return nil, malformed("user and password longer than 6 KiB")
	}
	return verify(ctx, v, user, password)
}

// FormAccount returns the account to pass to [core.Guard.SignIn] for user, by which
// a [core.AttemptLimiter] counts: the spelling that v has for it, so that a form
// and the scheme are counted together. It returns "" for a user that [VerifyForm]
// refuses without asking v.
func FormAccount(v Verifier, user string) string {
	if checkForm(user, "-") != nil || strings.Contains(user, ":") || len(user) > maxForm {
		return ""
	}
	return spelling(v, user)
}

// CheckVerifier returns an error for a verifier that New would refuse: nil, or a
// wrapper that hides an optional interface of the wrapped one.
func CheckVerifier(v Verifier) error {
	if isnil.Value(v) {
		return errors.New("verifier is nil: without one no password can be checked")
	}
	if err := checkWrapper(v, maxWrappers); err != nil {
		return fmt.Errorf("verifier: %w", err)
	}
	return nil
}
