package scenario

import (
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport-go/sallyport/examples/internal/accounts"
	"github.com/sallyport-go/sallyport/examples/internal/issuer"
	"github.com/sallyport-go/sallyport/examples/policy"
)

const (
	issuerName = "https://issuer.example"
	audience   = "reports"
	keysFile   = "jwks.json"
)

// World is what servers need to be tried: files, an account service, and
// credentials.
type World struct {
	dir         string
	accounts    *http.Server
	accountsURL string
	credentials map[string][]string // the Authorization lines
}

// NewWorld writes its files into dir, which must exist, and starts an account
// service, which runs until Close.
func NewWorld(dir string) (*World, error) {
	own, err := issuer.New(issuerName, audience)
	if err != nil {
		return nil, err
	}
	w := &World{dir: dir}
	if w.credentials, err = newCredentials(own); err != nil {
		return nil, err
	}
	if err := w.writeFiles(own); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("account service: %w", err)
	}
	w.accountsURL = "http://" + l.Addr().String()
	w.accounts = &http.Server{Handler: accounts.Handler(), ReadTimeout: time.Second, WriteTimeout: time.Second}
	go func() { _ = w.accounts.Serve(l) }() // until Close
	return w, nil
}

// writeFiles writes the key set, and the policy and users that the servers
// would otherwise take from themselves.
func (w *World) writeFiles(own *issuer.Issuer) error {
	keys, err := own.KeySet()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(w.dir, keysFile), keys, 0o600); err != nil {
		return err
	}
	for _, name := range []string{policy.Model, policy.Rules, policy.Users} {
		text, err := fs.ReadFile(policy.Files, name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(w.dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Args are the arguments for a server that is to be part of the world. It
// listens on a free loopback port.
func (w *World) Args() []string {
	return []string{
		"-addr", "127.0.0.1:0",
		"-policy", w.dir,
		"-users", filepath.Join(w.dir, policy.Users),
		"-jwks", filepath.Join(w.dir, keysFile),
		"-issuer", issuerName,
		"-audience", audience,
		"-accounts", w.accountsURL,
	}
}

// Close stops the account service, at once. It may be called again.
func (w *World) Close() error { return w.accounts.Close() }
