package reports

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// rsaAlgorithm is what many issuers mean that leave alg out of RSA keys.
const rsaAlgorithm = "RS256"

// isURL tells a URL from the name of a file.
func isURL(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }

// fetchKeys fetches the JWK set at url again and again. An issuer that is down
// is no error: requests with a token get 503 until it is there.
func fetchKeys(url string, log *slog.Logger) (*jwtauth.RemoteKeys, error) {
	return jwtauth.Fetch(url, jwtauth.ReadKeys(jwtauth.RSAAlgorithm(rsaAlgorithm)), jwtauth.OnRefresh(func(r jwtauth.Refresh) {
		if err := errors.Join(append(r.Skipped, r.Err)...); err != nil {
			log.Error("keys of the token issuer", "keys", r.Keys, "error", err)
		} else if r.Changed {
			log.Info("keys of the token issuer", "keys", r.Keys)
		}
	}))
}

// keyFile is a key source that reads a JWK set whenever its file is edited. So
// a new key is there without a restart, and a removed one gone.
type keyFile struct {
	set atomic.Pointer[jwtauth.KeySet]
}

// Load implements watch.Loader.
func (k *keyFile) Load(name string, data []byte) error {
	set, err := jwtauth.KeySetFromJWKS(name, data, jwtauth.RSAAlgorithm(rsaAlgorithm))
	if err != nil {
		return err
	}
	k.set.Store(set)
	return nil
}

// Keys implements jwtauth.KeySource.
func (k *keyFile) Keys(ctx context.Context, kid string) ([]*jwtauth.Key, error) {
	return k.set.Load().Keys(ctx, kid)
}
