package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// keyIDSize is the length of a KeyID.
const keyIDSize = 16

// KeyID returns the name of a public key in a bundle: the first eight bytes of its
// SHA-256, in lower-case hexadecimal. It only says which key to try, and proves
// nothing.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:keyIDSize/2])
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

// ParsePublicKeys parses Ed25519 keys for verifying bundles: at least one PEM block
// PUBLIC KEY, as "openssl pkey -pubout" writes it.
func ParsePublicKeys(text []byte) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "PUBLIC KEY" {
			return nil, fmt.Errorf("bundle: PEM block %.64q: want PUBLIC KEY (openssl pkey -in KEY -pubout)", block.Type)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("bundle: public key: %w", err)
		}
		ed, ok := key.(ed25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("bundle: the public key is a %T: bundles are signed with Ed25519", key)
		}
		keys = append(keys, ed)
	}
	if len(keys) == 0 || len(bytes.TrimSpace(text)) > 0 {
		return nil, errors.New("bundle: no PEM block PUBLIC KEY, or text after it: \"openssl pkey -in KEY -pubout\" writes one")
	}
	return keys, nil
}

// ParsePrivateKey parses an Ed25519 key for signing bundles: one PEM block PRIVATE
// KEY, not encrypted, as "openssl genpkey -algorithm ed25519" and "sallyport keys
// new --alg EdDSA" write it.
func ParsePrivateKey(text []byte) (ed25519.PrivateKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("bundle: want one PEM block PRIVATE KEY, not encrypted: \"openssl genpkey -algorithm ed25519\" writes one")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("bundle: private key: %w", err)
	}
	ed, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("bundle: the private key is a %T: bundles are signed with Ed25519", key)
	}
	return ed, nil
}

// checkTrusted returns an error for keys that cannot verify anything.
func checkTrusted(trusted []ed25519.PublicKey) error {
	if len(trusted) == 0 {
		return errors.New("bundle: there is no public key to verify bundles by")
	}
	for i, key := range trusted {
		if len(key) != ed25519.PublicKeySize {
			return fmt.Errorf("bundle: public key %d has %d bytes, and must have %d", i+1, len(key), ed25519.PublicKeySize)
		}
		if slices.ContainsFunc(trusted[:i], func(other ed25519.PublicKey) bool { return key.Equal(other) }) {
			return fmt.Errorf("bundle: public key %s is given twice", KeyID(key))
		}
	}
	return nil
}
