package decisionlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strconv"
)

// hashed is the hash of a line and all lines before it.
type hashed [sha256.Size]byte

func (h hashed) String() string { return hex.EncodeToString(h[:]) }

// parseHash parses the output of String.
func parseHash(text string) (h hashed, ok bool) {
	if len(text) != 2*len(h) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(text))
	return h, err == nil
}

// chainKey precedes the hash of a line, which is the line's last field.
const chainKey = `,"chain":"`

// follow adds a line to the hash, without its field chain and what follows that, and
// returns the result.
func (h *hashed) follow(with hash.Hash, line []byte) hashed {
	with.Reset()
	_, _ = with.Write(h[:]) // never fails
	_, _ = with.Write(line)
	with.Sum(h[:0])
	return *h
}

// splitChain splits the hash off a line, which has no line feed.
func splitChain(line []byte) (body []byte, h hashed, ok bool) {
	n := len(line) - len(chainKey) - 2*len(h) - len(`"}`)
	if n < 0 || !bytes.HasPrefix(line[n:], []byte(chainKey)) || !bytes.HasSuffix(line, []byte(`"}`)) {
		return line, h, false
	}
	h, ok = parseHash(string(line[n+len(chainKey) : len(line)-2]))
	return line[:n], h, ok
}

// The algorithms of keys.
const (
	algEd25519 = "Ed25519"
	algHMAC    = "HMAC-SHA-256"
)

// Key signs the heads of a log, or verifies them. It never prints secrets.
// [SigningKey], [VerifyingKey], [MACKey] and [ParseKey] return one.
type Key struct {
	algorithm, id string
	sign          func(message []byte) []byte // nil for a public key
	verify        func(message, signature []byte) bool
}

// SigningKey returns a key that signs and verifies with Ed25519 (RFC 8032): with
// only its public key one can verify a log, but not forge one.
func SigningKey(private ed25519.PrivateKey) (*Key, error) {
	if len(private) != ed25519.PrivateKeySize {
		return nil, errors.New("decision log key: not an Ed25519 private key")
	}
	own := bytes.Clone(private)
	k, err := VerifyingKey(ed25519.PrivateKey(own).Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	k.sign = func(message []byte) []byte { return ed25519.Sign(own, message) }
	return k, nil
}

// VerifyingKey returns a key that verifies signatures of the [SigningKey] with the
// same public key.
func VerifyingKey(public ed25519.PublicKey) (*Key, error) {
	if len(public) != ed25519.PublicKeySize {
		return nil, errors.New("decision log key: not an Ed25519 public key")
	}
	own := ed25519.PublicKey(bytes.Clone(public))
	sum := sha256.Sum256(own)
	return &Key{algorithm: algEd25519, id: hex.EncodeToString(sum[:8]), verify: func(message, signature []byte) bool {
		return ed25519.Verify(own, message, signature)
	}}, nil
}

// MACKey returns a key that signs and verifies with HMAC-SHA-256 (RFC 2104): anyone
// who can verify a log can forge one. The secret must be at least 32 random bytes,
// and is copied.
func MACKey(secret []byte) (*Key, error) {
	if len(secret) < 32 {
		return nil, fmt.Errorf("decision log key: %d bytes: must be at least 32 random ones", len(secret))
	}
	own := bytes.Clone(secret)
	mac := func(message []byte) []byte {
		h := hmac.New(sha256.New, own)
		_, _ = h.Write(message) // never fails
		return h.Sum(nil)
	}
	return &Key{
		algorithm: algHMAC, id: hex.EncodeToString(mac([]byte("sallyport decision log key"))[:8]), sign: mac,
		verify: func(message, signature []byte) bool { return hmac.Equal(mac(message), signature) },
	}, nil
}

// ParseKey parses a key from the text of a file: an Ed25519 key in PEM, private
// (PKCS #8, RFC 5958) or public (RFC 5280 §4.1.2.7), or at least 32 random bytes
// for a [MACKey], without a trailing line feed. PEM of another kind is an error.
func ParseKey(text []byte) (*Key, error) {
	if !bytes.Contains(text, []byte("-----BEGIN ")) {
		return MACKey(bytes.TrimSuffix(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\r'}))
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("decision log key: the PEM block cannot be read")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	default:
		return nil, fmt.Errorf("decision log key: PEM of the kind %q: must be PRIVATE KEY or PUBLIC KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("decision log key: %w", err)
	}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return SigningKey(key)
	case ed25519.PublicKey:
		return VerifyingKey(key)
	}
	return nil, fmt.Errorf("decision log key: %T: must be an Ed25519 key", key)
}

// Signs reports whether the key can sign.
func (k *Key) Signs() bool { return k.sign != nil }

// String names the key by its algorithm and identifier.
func (k *Key) String() string { return k.algorithm + ":" + k.id }

// headMessage returns the part of a head that is signed.
func headMessage(of uint64, chain hashed, final bool) []byte {
	m := append([]byte("sallyport decision log head v1\x00"), strconv.FormatUint(of, 10)...)
	m = append(append(m, 0), strconv.FormatBool(final)...)
	return append(append(m, 0), chain[:]...)
}
