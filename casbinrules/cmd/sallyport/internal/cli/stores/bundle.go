package stores

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	shared "github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
)

const maxKeyFile = 64 << 10

// isBundle reports whether a scheme is that of a signed bundle.
func isBundle(scheme string) bool { return scheme == "file" || scheme == "http" || scheme == "https" }

// keys returns the keys of --public-key and --key.
func (f *storeFlags) keys() (trusted []ed25519.PublicKey, signing []ed25519.PrivateKey, err error) {
	sets, err := parseKeys(f.publicKeys, bundle.ParsePublicKeys)
	if err == nil {
		signing, err = parseKeys(f.privateKeys, bundle.ParsePrivateKey)
	}
	if err != nil {
		return nil, nil, err
	}
	trusted = slices.Concat(sets...)
	if len(trusted)+len(signing) == 0 {
		return nil, nil, command.Usagef("a bundle is verified by public keys, and signed with a private one: give --public-key FILE, or --key FILE to publish")
	}
	return trusted, signing, nil
}

// parseKeys returns what parse makes of each file.
func parseKeys[K any](files []string, parse func([]byte) (K, error)) ([]K, error) {
	var keys []K
	for _, name := range files {
		text, err := readKeyFile(name)
		if err != nil {
			return nil, err
		}
		key, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func readKeyFile(name string) ([]byte, error) {
	text, info, err := atomicfile.ReadIfThere(name)
	switch {
	case err != nil:
		return nil, err
	case info == nil:
		return nil, fmt.Errorf("there is no file %s: \"openssl genpkey -algorithm ed25519\" makes a private key, and \"openssl pkey -in KEY -pubout\" its public one", name)
	case len(text) > maxKeyFile:
		return nil, fmt.Errorf("%s: larger than %d bytes: this is not the PEM of keys", name, maxKeyFile)
	}
	return text, nil
}

// openFile opens "file:PATH", or "file:///PATH" with escapes as in URLs.
func openFile(f *storeFlags, text string) (shared.Store, error) {
	_, path, _ := strings.Cut(text, ":")
	if strings.HasPrefix(path, "//") {
		u, err := url.Parse(text)
		if err != nil || u.Host != "" && u.Host != "localhost" || u.Path == "" || u.RawQuery != "" {
			return nil, command.Usagef("file: names no file: write file:PATH, or file:///PATH for an absolute one")
		}
		path = filepath.FromSlash(u.Path)
	}
	if path == "" {
		return nil, command.Usagef("file: names no file: write file:PATH")
	}
	now := time.Now()
	expires, err := command.Expiry(f.expires, now)
	if err != nil {
		return nil, err
	}
	trusted, signing, err := f.keys()
	if err != nil {
		return nil, err
	}
	file, err := bundle.NewFile(path, f.set, trusted, signing...)
	if err != nil || expires.IsZero() {
		return file, err
	}
	return file.Expiring(expires.Sub(now))
}

// openHTTP opens a bundle that a server serves.
func openHTTP(f *storeFlags, text string) (shared.Store, error) {
	trusted, signing, err := f.keys()
	if err != nil {
		return nil, err
	}
	for _, key := range signing {
		trusted = append(trusted, key.Public().(ed25519.PublicKey))
	}
	opts := []bundle.Option{bundle.WithName(f.set)}
	if f.unverified {
		opts = append(opts, bundle.WithPlainHTTP())
	}
	if value := os.Getenv(authorizationVariable); value != "" {
		opts = append(opts, bundle.WithAuthorization(value))
	}
	s, err := bundle.New(text, trusted, opts...)
	if err != nil {
		return nil, err
	}
	return &remoteBundle{s}, nil
}

// authorizationVariable is the environment variable that is sent as Authorization
// to a server of bundles.
const authorizationVariable = "SALLYPORT_AUTHORIZATION"

// remoteBundle is a bundle on a server, as a read-only store.
type remoteBundle struct{ *bundle.Source }

func (b *remoteBundle) Publish(context.Context, shared.Publication) (shared.Entry, error) {
	return shared.Entry{}, errors.New("nothing is published over HTTP: publish to --store file:PATH, and put that file where the server hands it out")
}

func (b *remoteBundle) At(ctx context.Context, r shared.Revision) (*shared.Content, shared.Entry, error) {
	got, err := b.Read(ctx)
	if err != nil {
		return nil, shared.Entry{}, err
	}
	if got.Entry.Revision != r {
		return nil, shared.Entry{}, fmt.Errorf("revision %d: %w: the server shows the newest one, %d", r, shared.ErrNoRevision, got.Entry.Revision)
	}
	return got.Content, got.Entry, nil
}

func (b *remoteBundle) History(ctx context.Context, before shared.Revision, limit int) ([]shared.Entry, error) {
	got, err := b.Read(ctx)
	if errors.Is(err, shared.ErrEmpty) || err == nil && (limit < 1 || before != 0 && got.Entry.Revision >= before) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []shared.Entry{got.Entry}, nil
}
