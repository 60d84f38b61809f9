package setup

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
)

// The kind http needs no import: it uses only the standard library.
func init() { RegisterPolicyStore("http", openBundle) }

// bundleSettings are the keys below http in policy.store.
type bundleSettings struct {
	URL           string        `key:"url" required:"true" doc:"address of the bundle, such as https://policies.example/app.bundle"`
	PublicKeys    []File        `key:"public_keys" required:"true" once:"true" doc:"PEM files of the public keys, one of which must have signed the bundle; read once"`
	Set           string        `key:"set" default:"default" doc:"name of the set of files that the bundle must contain"`
	Authorization Secret        `key:"authorization" doc:"value of the field Authorization to send, such as Bearer and a token"`
	MaxSize       Size          `key:"max_size" default:"64MiB" doc:"how large the bundle may be"`
	Wait          time.Duration `key:"wait" default:"30s" doc:"how long a server that supports it is asked to wait for the next bundle"`
	PlainHTTP     bool          `key:"plain_http" doc:"allow an address on another machine without TLS"`
}

// openBundle returns a source that connects on first use.
func openBundle(s *bundleSettings) (source.Source, func() error, error) {
	var trusted []ed25519.PublicKey
	for _, name := range s.PublicKeys {
		text, err := os.ReadFile(string(name))
		if err != nil {
			return nil, nil, err
		}
		keys, err := bundle.ParsePublicKeys(text)
		if err != nil {
			return nil, nil, fmt.Errorf("public_keys: %s: %w", name, err)
		}
		trusted = append(trusted, keys...)
	}
	opts := options[bundle.Option]{bundle.WithName(s.Set), bundle.WithMaxSize(int64(s.MaxSize)), bundle.WithWait(s.Wait)}
	opts.text(s.Authorization.Reveal(), bundle.WithAuthorization)
	opts.on(s.PlainHTTP, bundle.WithPlainHTTP)
	b, err := bundle.New(s.URL, trusted, opts...)
	if err != nil {
		return nil, nil, err
	}
	return b, b.Close, nil
}
