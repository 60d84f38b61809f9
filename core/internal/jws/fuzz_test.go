package jws_test

import (
	"bytes"
	"crypto/ecdsa"
	"math/big"
	"testing"
)

// FuzzVerify changes good signatures: none passes but the good one itself and,
// with ECDSA, the one with n-s in place of s.
func FuzzVerify(f *testing.F) {
	for i := range algorithms {
		f.Add(uint8(i), "header.claims", []byte{}, uint16(0))
		f.Add(uint8(i), "", []byte{0, 1}, uint16(1))
		f.Add(uint8(i), "header.claims", bytes.Repeat([]byte{0}, 70), uint16(0))
		f.Add(uint8(i), "header.claims", bytes.Repeat([]byte{0xff}, 64), uint16(0))
	}
	f.Fuzz(func(t *testing.T, which uint8, text string, change []byte, cut uint16) {
		p := pairs()[algorithms[int(which)%len(algorithms)]]
		good := p.sign(t, text)
		changed := bytes.Clone(good[:len(good)-min(int(cut), len(good))])
		for i, b := range change {
			if i == len(changed) {
				changed = append(changed, b)
				continue
			}
			changed[i] ^= b
		}
		want := bytes.Equal(changed, good)
		if key, ok := p.signer.(*ecdsa.PrivateKey); ok && !want && len(changed) == len(good) {
			half := len(good) / 2
			s := new(big.Int).SetBytes(good[half:])
			want = bytes.Equal(changed[:half], good[:half]) && s.Sub(key.Params().N, s).Cmp(new(big.Int).SetBytes(changed[half:])) == 0
		}
		if err := p.Verify(text, changed); (err == nil) != want {
			t.Fatalf("%s: %x as a signature of %q: %v", p.Algorithm(), changed, text, err)
		}
	})
}
