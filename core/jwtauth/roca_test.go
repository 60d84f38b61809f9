package jwtauth

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

// rocaPrime generates a prime as the faulty library did: k·M + (65537^a mod M), with M
// the product of the first primes up to largest.
func rocaPrime(t testing.TB, bits int, largest int64) *big.Int {
	t.Helper()
	m := big.NewInt(1)
	for p := int64(2); p <= largest; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			m.Mul(m, big.NewInt(p))
		}
	}
	random := func(below *big.Int) *big.Int {
		n, err := rand.Int(rand.Reader, below)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	free := new(big.Int).Lsh(big.NewInt(1), uint(bits-m.BitLen()))
	for {
		p := new(big.Int).Exp(big.NewInt(rocaGenerator), random(m), m)
		p.Add(p, new(big.Int).Mul(m, free.Add(free, big.NewInt(1))))
		if p.ProbablyPrime(20) {
			return p
		}
	}
}

// CVE-2017-15361: keys of the faulty library are refused from every source.
func TestROCAKeysAreRefused(t *testing.T) {
	n := new(big.Int).Mul(rocaPrime(t, 1024, 701), rocaPrime(t, 1024, 701)) // as for 2048 bits
	if !isROCA(n) {
		t.Fatal("the test's own key has no fingerprint")
	}
	key := &rsa.PublicKey{N: n, E: 65537}
	for _, alg := range []string{"RS256", "PS512"} {
		if _, err := PublicKey("k", alg, key); err == nil || !strings.Contains(err.Error(), "CVE-2017-15361") {
			t.Errorf("%s: %v", alg, err)
		}
	}
	jwk := fmt.Sprintf(`{"kty":"RSA","kid":"weak","alg":"RS256","e":"AQAB","n":%q}`, base64.RawURLEncoding.EncodeToString(n.Bytes()))
	if _, err := KeySetFromJWKS("jwks.json", []byte(`{"keys":[`+jwk+`]}`)); err == nil || !strings.Contains(err.Error(), `kid "weak"`) {
		t.Errorf("key set: %v", err)
	}
	set, skipped, err := new(setReader).parsePublished([]byte(`{"keys":[`+jwk+`]}`), 1<<20)
	if err != nil || len(set.all) != 0 || len(skipped) != 1 {
		t.Errorf("published: %v, skipped %v, %v", set, skipped, err)
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"dpop+jwt","alg":"RS256","jwk":` + strings.Replace(jwk, `"kid":"weak",`, "", 1) + `}`))
	if _, err := VerifyProof(header+".e30.AA", "dpop+jwt", []string{"RS256"}); err == nil || !strings.Contains(err.Error(), "CVE-2017-15361") {
		t.Errorf("proof: %v", err)
	}
}

func TestOrdinaryKeysHaveNoFingerprint(t *testing.T) {
	chance := 1.0
	for p, powers := range rocaResidues() {
		count := 0
		for _, is := range powers {
			if is {
				count++
			}
		}
		chance *= float64(count) / float64(p-1)
	}
	if bits := -math.Log2(chance); bits < 27 { // 2^-27.8 in the paper
		t.Errorf("one in 2^%.1f other keys would be refused", bits)
	}
	for i := range 5000 {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 2048))
		if err != nil {
			t.Fatal(err)
		}
		if isROCA(n.SetBit(n, 0, 1)) {
			t.Errorf("number %d has the fingerprint: %v", i, n)
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if isROCA(key.N) {
		t.Error("a good key has the fingerprint")
	}
}
