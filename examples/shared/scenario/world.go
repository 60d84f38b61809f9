package scenario

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/internal/accounts"
	"github.com/sallyport-go/sallyport/examples/policy"
	"github.com/sallyport-go/sallyport/examples/shared/issuer"
)

const (
	issuerName   = "https://issuer.example"
	audience     = "reports"
	realm        = "reports"
	clientID     = "reports"
	clientSecret = "reports-client-secret"

	accountsPath = "/accounts"
	keysFile     = "api.keys"
	secretFile   = "client.secret"

	// failuresAtOnce is more than all scenarios together cause, so that the
	// limit for an address never shows, and that for an account does.
	failuresAtOnce = "10000"
)

// World is what servers need to be tried: files, the services they ask, and
// credentials.
type World struct {
	dir, url    string
	services    *http.Server
	keys        *service // of tokens
	introspect  *service
	accounts    *service
	credentials map[string]credentials
}

// service is one that can be down: it then hangs up on whoever asks.
type service struct {
	http.Handler
	down atomic.Bool
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.down.Load() {
		panic(http.ErrAbortHandler)
	}
	s.Handler.ServeHTTP(w, r)
}

// NewWorld writes its files into dir, which must exist, and starts the services
// that servers ask, which run until Close. That with the keys of tokens is down
// until a group has it published.
func NewWorld(dir string) (*World, error) {
	own, err := issuer.New(issuerName, audience)
	if err != nil {
		return nil, err
	}
	provider := issuer.NewProvider(own, clientID, clientSecret)
	w := &World{
		dir:        dir,
		keys:       &service{Handler: http.HandlerFunc(provider.Keys)},
		introspect: &service{Handler: http.HandlerFunc(provider.Introspect)},
		accounts:   &service{Handler: accounts.Handler()},
	}
	w.keys.down.Store(true)
	keys, err := newKeyring()
	if err != nil {
		return nil, err
	}
	if w.credentials, err = newCredentials(provider, keys); err != nil {
		return nil, err
	}
	if err := w.writeFiles(keys); err != nil {
		return nil, err
	}
	return w, w.serve()
}

// serve starts the services.
func (w *World) serve() error {
	mux := http.NewServeMux()
	mux.Handle(issuer.KeysPath, w.keys)
	mux.Handle(issuer.IntrospectPath, w.introspect)
	mux.Handle(accountsPath, w.accounts)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("services: %w", err)
	}
	w.url = "http://" + l.Addr().String()
	w.services = &http.Server{Handler: mux, ReadTimeout: authtest.TimeLimit(time.Minute), WriteTimeout: authtest.TimeLimit(time.Minute)}
	go func() { _ = w.services.Serve(l) }() // until Close
	return nil
}

// writeFiles writes what servers read: among others the policy and the users
// that they would otherwise take from themselves.
func (w *World) writeFiles(keys *keyring) error {
	files := map[string][]byte{keysFile: keys.file, secretFile: []byte(clientSecret + "\n")}
	for _, name := range []string{policy.Model, policy.Rules, policy.Users, policy.Digest} {
		text, err := policy.Files.ReadFile(name)
		if err != nil {
			return err
		}
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(w.file(name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) file(name string) string { return filepath.Join(w.dir, name) }

// Args are the arguments for a server that is to be part of the world. It
// listens on a free loopback port.
func (w *World) Args() []string {
	return []string{
		"-addr", "127.0.0.1:0",
		"-policy", w.dir,
		"-realm", realm,
		"-users", w.file(policy.Users),
		"-digest", w.file(policy.Digest),
		"-apikeys", w.file(keysFile),
		"-jwks", w.url + issuer.KeysPath,
		"-issuer", issuerName,
		"-audience", audience,
		"-introspect", w.url + issuer.IntrospectPath,
		"-introspect-id", clientID,
		"-introspect-secret", w.file(secretFile),
		"-accounts", w.url + accountsPath,
		"-limit", failuresAtOnce,
	}
}

// Close stops the services, at once. It may be called again.
func (w *World) Close() error { return w.services.Close() }
