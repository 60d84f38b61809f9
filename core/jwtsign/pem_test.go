package jwtsign_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

func TestPEMHoldsTheWholeKey(t *testing.T) {
	for _, alg := range algorithms {
		for _, opts := range [][]jwtsign.KeyOption{nil, {jwtsign.WithDevelopment()}} {
			t.Run(alg, func(t *testing.T) {
				t.Parallel()
				key := keyFor(t, alg, opts...)
				path := filepath.Join(t.TempDir(), "signing.pem")
				if err := key.WritePEM(path); err != nil {
					t.Fatal(err)
				}
				read, err := jwtsign.OpenPEM(path)
				if err != nil {
					t.Fatal(err)
				}
				if read.ID() != key.ID() || read.Algorithm() != alg || read.Development() != (opts != nil) {
					t.Errorf("%s %s %v came back", read.ID(), read.Algorithm(), read.Development())
				}
				public, err := key.Public().MarshalPEM()
				if err != nil {
					t.Fatal(err)
				}
				half, err := jwtauth.PEMKey("", "", public)
				if err != nil || half.Thumbprint() != key.ID() || half.Algorithm() != alg || half.Development() != key.Development() {
					t.Errorf("public part: %v, %v", half, err)
				}
			})
		}
	}
}

func TestPrivateKeyIsForItsOwnerAndNeverOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signing.pem")
	key := newKey(t)
	if err := key.WritePEM(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := newKey(t).WritePEM(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second key in the same file: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file has changed: %v", err)
	}
}

func TestPublishedSetHoldsNoPrivatePart(t *testing.T) {
	for _, alg := range algorithms {
		s := newSigner(t, keyFor(t, alg))
		text, err := s.JWKS()
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if strings.Contains(string(text), `"`+member+`":`) {
				t.Errorf("%s: %s in %s", alg, member, text)
			}
		}
	}
}

func block(kind string, der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestKeysOfOtherToolsAreRead(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	big := rsaKey()
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return block("PRIVATE KEY", der, err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	ecBlock := block("EC PRIVATE KEY", sec1, err)
	public, err := x509.MarshalPKIXPublicKey(ec.Public())
	publicBlock := block("PUBLIC KEY", public, err)
	rs256 := []jwtsign.KeyOption{jwtsign.WithAlgorithm("RS256")}
	for _, tc := range []struct {
		name string
		text []byte
		opts []jwtsign.KeyOption
		want string // the algorithm, or part of the error
	}{
		{"PKCS #8", pkcs8(ec), nil, "ES256"},
		{"SEC 1", ecBlock, nil, "ES256"},
		{"SEC 1 after its parameters", append(block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}, nil), ecBlock...), nil, "ES256"},
		{"RSA with its algorithm", pkcs8(big), rs256, "RS256"},
		{"PKCS #1", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(big), nil), rs256, "RS256"},
		{"RSA without", pkcs8(big), nil, "does not name its algorithm"},
		{"another algorithm", pkcs8(ec), rs256, "does not fit"},
		{"line with a wrong algorithm", append([]byte("Algorithm: none\n"), pkcs8(ec)...), nil, "line Algorithm"},
		{"public key", publicBlock, nil, "public key: only the private one can sign"},
		{"encrypted", block("ENCRYPTED PRIVATE KEY", []byte{1}, nil), nil, "openssl pkey"},
		{"JWK set", []byte(`{"keys":[]}`), nil, "JSON, not PEM"},
		{"certificate", block("CERTIFICATE", []byte{1}, nil), nil, "not supported"},
		{"two keys", append(pkcs8(ec), pkcs8(ec)...), nil, "file of its own"},
		{"damaged", block("PRIVATE KEY", []byte{1, 2}, nil), nil, "PEM block PRIVATE KEY"},
		{"unsupported curve", pkcs8(small), nil, "P-224 is not supported"},
		{"key agreement", pkcs8(exchange), nil, "does not sign"},
		{"empty", nil, nil, "sallyport keys new"},
		{"huge", make([]byte, 1<<20), nil, "larger than"},
	} {
		key, err := jwtsign.ParsePEM("signing.pem", tc.text, tc.opts...)
		switch {
		case err == nil && key.Algorithm() != tc.want:
			t.Errorf("%s: key for %s", tc.name, key.Algorithm())
		case err != nil && (!strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "signing.pem: ")):
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if _, err := jwtsign.OpenPEM(filepath.Join(t.TempDir(), "none.pem")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "sallyport keys new") {
		t.Errorf("no file: %v", err)
	}
	for _, alg := range []string{"", "none", "HS256", "ES256K"} {
		if _, err := jwtsign.GenerateKey(jwtsign.WithAlgorithm(alg)); err == nil {
			t.Errorf("a key for %q is made", alg)
		}
	}
	if _, err := jwtsign.NewKey(nil); err == nil {
		t.Error("a nil key is accepted")
	}
}

func FuzzParsePEM(f *testing.F) {
	key, err := jwtsign.GenerateKey(jwtsign.WithDevelopment())
	if err != nil {
		f.Fatal(err)
	}
	text, err := key.MarshalPEM()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("Algorithm: RS256\n-----BEGIN PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := jwtsign.ParsePEM("f", data)
		if err != nil {
			return
		}
		again, err := key.MarshalPEM()
		if err != nil {
			t.Fatal(err)
		}
		if same, err := jwtsign.ParsePEM("f", again); err != nil || same.ID() != key.ID() || same.Algorithm() != key.Algorithm() || same.Development() != key.Development() {
			t.Errorf("%s does not come back: %v", again, err)
		}
	})
}
