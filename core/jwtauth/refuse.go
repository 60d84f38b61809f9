package jwtauth

import (
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// refuse returns the error for a token that proves nobody; the formatted text is
// for observers.
func refuse(reason core.Reason, format string, args ...any) error {
	return claims.Refuse(reason, "The access token is malformed", fmt.Errorf("jwtauth: "+format, args...))
}

// isReason reports whether err refuses a token for reason.
func isReason(err error, reason core.Reason) bool {
	var bad *core.CredentialError
	return errors.As(err, &bad) && bad.Reason == reason
}
