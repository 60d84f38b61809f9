package jws_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core/internal/jws"
	"github.com/sallyport-go/sallyport/core/internal/jwstest"
)

// pair is a key with what signs for it.
type pair struct {
	jws.Key
	signer any // for jwstest.Sign
}

var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// pairs are of every algorithm, made once.
var pairs = sync.OnceValue(func() map[string]*pair {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	all := map[string]*pair{}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
	for _, name := range algorithms {
		var signer crypto.Signer = rsaKey
		switch name[:2] {
		case "HS":
			key, err := jws.NewSecret(jws.Lookup(name), []byte(name+" secret"))
			must(err)
			all[name] = &pair{key, []byte(name + " secret")}
			continue
		case "ES":
			signer, err = ecdsa.GenerateKey(curves[name], rand.Reader)
			must(err)
		case "Ed":
			signer = edKey
		}
		key, err := jws.NewKey(jws.Lookup(name), signer.Public())
		must(err)
		all[name] = &pair{key, signer}
	}
	return all
})

func (p *pair) sign(t testing.TB, text string) []byte {
	t.Helper()
	signature, err := jwstest.Sign(p.Algorithm().String(), p.signer, text)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestSignatureIsGoodForItsTextAndKeyAlone(t *testing.T) {
	for _, size := range []int{0, 1, 100, 1023, 1024, 1025, 20_000} {
		text := strings.Repeat("t", size)
		for _, name := range algorithms {
			signature := pairs()[name].sign(t, text)
			for _, other := range algorithms {
				key := pairs()[other].Key
				if err := key.Verify(text, signature); (err == nil) != (other == name) {
					t.Errorf("%d bytes signed with %s, verified with %s: %v", size, name, other, err)
				}
			}
			key := pairs()[name].Key
			if key.Verify(text+"t", signature) == nil {
				t.Errorf("%s: good for another text", name)
			}
		}
	}
}

// Lengths beside the right one, and one wrong bit here and there.
func TestSignatureHasOneForm(t *testing.T) {
	const text = "header.claims"
	for _, name := range algorithms {
		p := pairs()[name]
		good := p.sign(t, text)
		for _, n := range []int{0, 1, len(good) / 2, len(good) - 1} {
			for _, short := range [][]byte{good[:n], good[len(good)-n:]} {
				if p.Verify(text, short) == nil {
					t.Errorf("%s: %d bytes of %d are enough", name, n, len(good))
				}
			}
		}
		for _, extra := range [][]byte{{0}, {1}, make([]byte, 64), good} {
			for _, long := range [][]byte{slices.Concat(good, extra), slices.Concat(extra, good)} {
				if p.Verify(text, long) == nil {
					t.Errorf("%s: %d bytes instead of %d pass", name, len(long), len(good))
				}
			}
		}
		step := 13 // for every place in a byte
		if len(good) > 200 {
			step = 97 // RSA takes its time
		}
		for bit := 0; bit < 8*len(good); bit += step {
			wrong := bytes.Clone(good)
			wrong[bit/8] ^= 1 << (bit % 8)
			if p.Verify(text, wrong) == nil {
				t.Fatalf("%s: bit %d does not matter", name, bit)
			}
		}
		if p.Verify(text, nil) == nil {
			t.Errorf("%s: no signature passes", name)
		}
	}
}

// RFC 7518 §3.4: r and s from 1 to the order less 1, in the length of the field.
func TestECDSASignatureIsInRange(t *testing.T) {
	const text = "header.claims"
	for _, name := range []string{"ES256", "ES384", "ES512"} {
		p := pairs()[name]
		key := p.signer.(*ecdsa.PrivateKey)
		order := key.Params().N
		good := p.sign(t, text)
		half := len(good) / 2
		r, s := good[:half], good[half:]
		number := func(n *big.Int) []byte { return n.FillBytes(make([]byte, half)) }
		zero, one, highest := number(new(big.Int)), number(big.NewInt(1)), bytes.Repeat([]byte{0xff}, half)
		der, err := ecdsa.SignASN1(rand.Reader, key, make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		for what, signature := range map[string][]byte{
			"both zero":     slices.Concat(zero, zero),
			"r zero":        slices.Concat(zero, s),
			"s zero":        slices.Concat(r, zero),
			"both one":      slices.Concat(one, one),
			"r the order":   slices.Concat(number(order), s),
			"s the order":   slices.Concat(r, number(order)),
			"r the highest": slices.Concat(highest, s),
			"s the highest": slices.Concat(r, highest),
			"swapped":       slices.Concat(s, r),
			"DER":           der,
			"DER, filled":   append(bytes.Clone(der), make([]byte, max(0, len(good)-len(der)))...),
		} {
			if p.Verify(text, signature) == nil {
				t.Errorf("%s, %s: passes", name, what)
			}
		}
		// n-s is a signature as well; nothing here hangs on there being one.
		twin := slices.Concat(r, number(new(big.Int).Sub(order, new(big.Int).SetBytes(s))))
		if err := p.Verify(text, twin); err != nil {
			t.Errorf("%s, n-s: %v", name, err)
		}
	}
}

func TestKeyFitsItsAlgorithm(t *testing.T) {
	// kind is what keys of an algorithm have in common.
	kind := func(name string) string {
		switch name[:2] {
		case "RS", "PS":
			return "RSA"
		case "ES":
			return name
		}
		return name[:2]
	}
	for _, name := range algorithms {
		alg := jws.Lookup(name)
		for _, other := range algorithms {
			want := kind(name) == kind(other) && alg.Family() != jws.HMAC
			if _, err := jws.NewKey(alg, pairs()[other].Public()); (err == nil) != want {
				t.Errorf("a key for %s as one for %s: %v", other, name, err)
			}
		}
		if _, err := jws.NewSecret(alg, []byte("secret")); (err == nil) != (alg.Family() == jws.HMAC) {
			t.Errorf("a secret for %s: %v", name, err)
		}
	}
	var none jws.Key
	if none.Algorithm() != nil || none.Public() != nil || none.Secret() || none.Verify("", nil) == nil {
		t.Error("the zero key is something")
	}
	if _, err := jws.NewKey(jws.Lookup("EdDSA"), ed25519.PublicKey("short")); err == nil {
		t.Error("an Ed25519 key of 5 bytes passes")
	}
}

func TestOnlyExactNamesAreSupported(t *testing.T) {
	for _, name := range algorithms {
		if a := jws.Lookup(name); a == nil || a.String() != name {
			t.Errorf("%s: %v", name, a)
		}
		for _, other := range []string{strings.ToLower(name), name + " ", " " + name, name[:4], name + "K"} {
			if a := jws.Lookup(other); a != nil {
				t.Errorf("%q is %v", other, a)
			}
		}
	}
	if jws.Lookup("Ed25519") != jws.Lookup("EdDSA") {
		t.Error("Ed25519 and EdDSA are two algorithms")
	}
	for _, name := range []string{"", "none", "None", "NONE", "nOnE", "ES256K", "Ed448", "HS1", "dir", "A128KW", "RSA-OAEP"} {
		if a := jws.Lookup(name); a != nil {
			t.Errorf("%q is %v", name, a)
		}
	}
	if jws.OfCurve(elliptic.P224()) != nil || jws.OfCurve(nil) != nil {
		t.Error("P-224 has an algorithm")
	}
}

// keyOf makes a key of what stands behind "key" in testdata.
func keyOf(fields []string) (jws.Key, error) {
	alg := jws.Lookup(fields[0])
	value, err := base64.RawURLEncoding.DecodeString(fields[1])
	if err != nil {
		return jws.Key{}, err
	}
	switch alg.Family() {
	case jws.HMAC:
		return jws.NewSecret(alg, value)
	case jws.EdDSA:
		return jws.NewKey(alg, ed25519.PublicKey(value))
	case jws.ECDSA:
		curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[fields[0]]
		public, err := ecdsa.ParseUncompressedPublicKey(curve, value)
		if err != nil {
			return jws.Key{}, err
		}
		return jws.NewKey(alg, public)
	}
	e, err := strconv.Atoi(fields[2])
	if err != nil {
		return jws.Key{}, err
	}
	return jws.NewKey(alg, &rsa.PublicKey{N: new(big.Int).SetBytes(value), E: e})
}

func TestPublishedVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/wycheproof.txt")
	if err != nil {
		t.Fatal(err)
	}
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(s, "-"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var key jws.Key
	count := map[string]int{}
	for n, line := range strings.Split(string(data), "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || strings.HasPrefix(line, "#"):
		case fields[0] == "key":
			if key, err = keyOf(fields[1:]); err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
		default:
			count[fmt.Sprint(key.Algorithm(), " ", fields[0])]++
			err := key.Verify(string(decode(fields[1])), decode(fields[2]))
			if (err == nil) != (fields[0] == "valid") {
				t.Errorf("line %d: %s: want %s, got %v", n+1, key.Algorithm(), fields[0], err)
			}
		}
	}
	for _, name := range algorithms {
		if count[name+" valid"] == 0 || count[name+" invalid"] == 0 {
			t.Errorf("%s: %d valid and %d invalid vectors", name, count[name+" valid"], count[name+" invalid"])
		}
	}
}
