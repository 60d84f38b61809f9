package jwtsign

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/keymark"
)

// maxPEMSize is the maximum size of a key's PEM in bytes.
const maxPEMSize = 64 << 10

// ParsePEM parses a private key: one PEM block PRIVATE KEY (PKCS #8), EC PRIVATE
// KEY or RSA PRIVATE KEY, not encrypted. name, usually that of the file, is used in
// errors.
//
// Lines Algorithm and Use before the block, as written by [Key.MarshalPEM], give
// the algorithm if no option does, and mark a development key, which no option can
// undo.
func ParsePEM(name string, data []byte, opts ...KeyOption) (*Key, error) {
	c, err := newKeyConfig(opts)
	if err != nil {
		return nil, err
	}
	key, err := c.parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "jwtsign: "))
	}
	return key, nil
}

func (c *keyConfig) parse(data []byte) (*Key, error) {
	if len(data) > maxPEMSize {
		return nil, fmt.Errorf("larger than %d bytes: this is not the PEM of one private key", maxPEMSize)
	}
	lines, rest := keymark.InPEM(data)
	block, rest := pem.Decode(rest)
	if block != nil && block.Type == "EC PARAMETERS" { // openssl ecparam writes them first
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' {
			return nil, errors.New("this is JSON, not PEM: sign with the private key that \"sallyport keys new\" writes")
		}
		return nil, errors.New("no PEM block: one that begins with -----BEGIN PRIVATE KEY----- is needed; \"sallyport keys new\" makes one")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("text after the PEM block: put each key in a file of its own")
	}
	private, err := decode(block)
	if err != nil {
		return nil, err
	}
	if alg, ok := lines[keymark.Algorithm]; ok && c.alg == "" {
		if err := WithAlgorithm(alg)(c); err != nil {
			return nil, fmt.Errorf("line Algorithm: %w", err)
		}
	}
	c.development = c.development || lines[keymark.Use] == keymark.ForDevelopment
	return c.key(private)
}

func decode(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch {
	case block.Type == "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
		return nil, errors.New("the key is encrypted: decrypt it first (openssl pkey -in KEY -out NEW)")
	case block.Type == "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case strings.HasSuffix(block.Type, "PUBLIC KEY"):
		return nil, errors.New("this is a public key: only the private one can sign")
	default:
		return nil, fmt.Errorf("PEM block %.64q is not supported: PRIVATE KEY, EC PRIVATE KEY and RSA PRIVATE KEY are", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("PEM block %s: %w", block.Type, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T does not sign: RSA, ECDSA and Ed25519 keys do", key)
	}
	return signer, nil
}

// OpenPEM reads the file at path and parses it with [ParsePEM].
func OpenPEM(path string, opts ...KeyOption) (*Key, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("jwtsign: there is no private key %s: make one with \"sallyport keys new %s\": %w", path, path, fs.ErrNotExist)
	}
	if err == nil && info.Size() > maxPEMSize {
		return nil, fmt.Errorf("%s: larger than %d bytes: this is not the PEM of one private key", path, maxPEMSize)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("jwtsign: %w", err)
	}
	return ParsePEM(path, data, opts...)
}

// MarshalPEM returns the private key as a PEM block PRIVATE KEY (PKCS #8). Lines
// before the block, which other parsers skip (RFC 7468 §2), name its algorithm and
// mark a development key. It is an error if the private part is not accessible, as
// in hardware.
func (k *Key) MarshalPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("jwtsign: the private key cannot be written: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return append(keymark.BeforePEM(k.Algorithm(), k.Development()), block...), nil
}

// WritePEM writes the private key to a new file at path, readable only by its owner
// (mode 0600). It never overwrites a file, but returns an error that wraps
// [fs.ErrExist].
func (k *Key) WritePEM(path string) (err error) {
	text, err := k.MarshalPEM()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("jwtsign: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("jwtsign: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}
