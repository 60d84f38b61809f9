package basic

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
)

// maxForm is how many bytes user and password of a form may have together: as
// many as [MaxBytes] leaves those of the scheme.
const maxForm = 6 << 10

// VerifyForm judges a user and password that came in another way than the
// Authorization field, such as a sign-in form, as the scheme judges its own: what
// cannot be read is refused without asking v, and what v returns means what
// [Verifier] says. So the error is ready for [core.Guard.SignIn]. A user with a
// colon, which the scheme cannot send, is unreadable here too.
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

// FormAccount is the account that a [core.AttemptLimiter] is to know user by, for
// [core.Guard.SignIn]: the spelling that v has for it, so that a form and the
// scheme are counted together. It is "" for a user that [VerifyForm] refuses
// unseen.
func FormAccount(v Verifier, user string) string {
	if checkForm(user, "-") != nil || strings.Contains(user, ":") || len(user) > maxForm {
		return ""
	}
	return spelling(v, user)
}

// CheckVerifier finds what New would refuse in a verifier: nil, or a wrapper that
// hides what the wrapped one can do.
func CheckVerifier(v Verifier) error {
	if isnil.Value(v) {
		return errors.New("verifier is nil: without one no password can be checked")
	}
	if err := checkWrapper(v, maxWrappers); err != nil {
		return fmt.Errorf("verifier: %w", err)
	}
	return nil
}
