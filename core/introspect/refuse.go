package introspect

import (
	"fmt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// refuse returns the error for a token that proves nobody; the formatted text is
// for observers.
func refuse(reason core.Reason, format string, args ...any) error {
	return claims.Refuse(reason, "The access token is not active", fmt.Errorf("introspect: "+format, args...))
}
