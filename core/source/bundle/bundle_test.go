package bundle_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// key is a key derived from a number.
func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(keys ...ed25519.PrivateKey) []ed25519.PublicKey {
	all := make([]ed25519.PublicKey, len(keys))
	for i, k := range keys {
		all[i] = k.Public().(ed25519.PublicKey)
	}
	return all
}

// encoded is a bundle of a revision with a text.
func encoded(t testing.TB, r source.Revision, text string, keys ...ed25519.PrivateKey) []byte {
	t.Helper()
	if len(keys) == 0 {
		keys = []ed25519.PrivateKey{key(1)}
	}
	data, err := bundle.Encode("default", source.Entry{Revision: r, Note: source.Note{Author: "ann", Message: "why"}}, time.Time{}, sourcetest.Files(text), keys...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestBundle: an encoded bundle decodes, and no byte of it can be changed, added or
// removed.
func TestBundle(t *testing.T) {
	t.Parallel()
	data := encoded(t, 7, "rules\n")
	trusted := public(key(1))
	b, err := bundle.Decode(data, trusted...)
	if err != nil {
		t.Fatal(err)
	}
	if b.Set != "default" || b.Entry.Revision != 7 || b.Entry.Author != "ann" || b.Entry.Message != "why" ||
		b.Content.Revision != 7 || b.Content.Hash() != source.HashFiles(sourcetest.Files("rules\n")) || b.Entry.Hash != b.Content.Hash() {
		t.Errorf("decoded %+v", b)
	}
	for i := range data {
		for _, bit := range []byte{1, 0x20, 0x80} {
			changed := bytes.Clone(data)
			changed[i] ^= bit
			if _, err := bundle.Decode(changed, trusted...); err == nil {
				t.Errorf("byte %d changed by %#x is not noticed", i, bit)
			}
		}
		if _, err := bundle.Decode(data[:i], trusted...); err == nil {
			t.Errorf("the first %d bytes are accepted as a bundle", i)
		}
	}
	if _, err := bundle.Decode(append(bytes.Clone(data), '\n'), trusted...); !errors.Is(err, bundle.ErrUntrusted) {
		t.Errorf("an extra byte: %v", err)
	}
	// Signatures of two bundles differ.
	other := encoded(t, 8, "rules\n")
	cut := func(b []byte) int { return bytes.Index(b, []byte("\n\n")) }
	if _, err := bundle.Decode(append(bytes.Clone(data[:cut(data)]), other[cut(other):]...), trusted...); !errors.Is(err, bundle.ErrUntrusted) {
		t.Errorf("the signature of another bundle: %v", err)
	}
}

// TestRotation: one trusted key is enough, whoever else has signed.
func TestRotation(t *testing.T) {
	t.Parallel()
	both := encoded(t, 1, "x", key(1), key(2))
	for what, trusted := range map[string][]ed25519.PublicKey{"old": public(key(1)), "new": public(key(2)), "both": public(key(2), key(1)), "more": public(key(3), key(2))} {
		if _, err := bundle.Decode(both, trusted...); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, trusted := range map[string][]ed25519.PublicKey{"neither": public(key(3)), "none": nil} {
		if _, err := bundle.Decode(both, trusted...); !errors.Is(err, bundle.ErrUntrusted) {
			t.Errorf("%s: %v", what, err)
		}
	}
	forged := bytes.Replace(encoded(t, 1, "x", key(3)), []byte(bundle.KeyID(public(key(3))[0])), []byte(bundle.KeyID(public(key(1))[0])), 1)
	if _, err := bundle.Decode(forged, public(key(1))...); !errors.Is(err, bundle.ErrUntrusted) {
		t.Errorf("a signature under another key's name: %v", err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	e, files := source.Entry{Revision: 1}, sourcetest.Files("x")
	nine := make([]ed25519.PrivateKey, 9)
	for i := range nine {
		nine[i] = key(byte(i))
	}
	for what, err := range map[string]error{
		"no key":      second(bundle.Encode("default", e, time.Time{}, files)),
		"nine keys":   second(bundle.Encode("default", e, time.Time{}, files, nine...)),
		"twice":       second(bundle.Encode("default", e, time.Time{}, files, key(1), key(1))),
		"short key":   second(bundle.Encode("default", e, time.Time{}, files, key(1)[:32])),
		"no file":     second(bundle.Encode("default", e, time.Time{}, nil, key(1))),
		"revision 0":  second(bundle.Encode("default", source.Entry{}, time.Time{}, files, key(1))),
		"no set":      second(bundle.Encode("", e, time.Time{}, files, key(1))),
		"odd set":     second(bundle.Encode("a b", e, time.Time{}, files, key(1))),
		"DEL in set":  second(bundle.Encode("a\x7fb", e, time.Time{}, files, key(1))),
		"no UTF-8":    second(bundle.Encode("a\xffb", e, time.Time{}, files, key(1))),
		"a long set":  second(bundle.Encode(strings.Repeat("x", 101), e, time.Time{}, files, key(1))),
		"a path up":   second(bundle.Encode("default", e, time.Time{}, []source.File{{Name: "../x"}}, key(1))),
		"a long note": second(bundle.Encode("default", source.Entry{Revision: 1, Note: source.Note{Message: strings.Repeat("x", 1<<20)}}, time.Time{}, files, key(1))),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestKeysInPEM(t *testing.T) {
	t.Parallel()
	block := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	private := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return block("PRIVATE KEY", der, err)
	}
	pub := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		return block("PUBLIC KEY", der, err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	one, two := public(key(1))[0], public(key(2))[0]
	keys, err := bundle.ParsePublicKeys([]byte("# old\n" + pub(one) + "# new\n" + pub(two)))
	if err != nil || len(keys) != 2 || !keys[0].Equal(one) || !keys[1].Equal(two) {
		t.Errorf("%v, %v", keys, err)
	}
	if got, err := bundle.ParsePrivateKey([]byte("Algorithm: EdDSA\n" + private(key(1)))); err != nil || !got.Equal(key(1)) {
		t.Errorf("private: %v", err)
	}
	for what, text := range map[string]string{
		"nothing": "", "private": private(key(1)), "RSA": pub(&other.PublicKey), "text after": pub(one) + "x", "garbage": block("PUBLIC KEY", []byte("x"), nil),
	} {
		if _, err := bundle.ParsePublicKeys([]byte(text)); err == nil {
			t.Errorf("public key, %s: no error", what)
		}
	}
	for what, text := range map[string]string{
		"nothing": "", "public": pub(one), "RSA": private(other), "two": private(key(1)) + private(key(2)), "garbage": block("PRIVATE KEY", []byte("x"), nil),
	} {
		if _, err := bundle.ParsePrivateKey([]byte(text)); err == nil {
			t.Errorf("private key, %s: no error", what)
		}
	}
}
