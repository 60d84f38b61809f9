package demo

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// rsaAlgorithm is what many issuers mean that leave alg out of RSA keys.
const rsaAlgorithm = "RS256"

// isURL tells a URL from the name of a file.
func isURL(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }

// fetchKeys fetches the JWK set at url again and again. An issuer that is down
// is no error: requests with a token get 503 until it is there.
func fetchKeys(url string, log *slog.Logger) (*jwtauth.RemoteKeys, error) {
	return jwtauth.Fetch(url, jwtauth.WithKeySetOptions(jwtauth.WithRSAAlgorithm(rsaAlgorithm)), jwtauth.WithRefreshObserver(func(r jwtauth.Refresh) {
		if err := errors.Join(append(r.Skipped, r.Err)...); err != nil {
			log.Error("keys of the token issuer", "keys", r.Keys, "error", err)
		} else if r.Changed {
			log.Info("keys of the token issuer", "keys", r.Keys)
		}
	}))
}
