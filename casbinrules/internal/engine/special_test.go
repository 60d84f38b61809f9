package engine

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// TestSpecialBytesAreFoundAnywhere puts each byte value at each position of texts whose
// lengths are near the eight bytes that are examined together.
func TestSpecialBytesAreFoundAnywhere(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 7))
	const plain = "abc/\x00\x01\x09\x0b\x0e>@~\x7f"
	for length := range 26 {
		for place := range length {
			for c := range 256 {
				text := make([]byte, length)
				for i := range text {
					text[i] = plain[rnd.IntN(len(plain))]
				}
				text[place] = byte(c)
				for _, cuts := range []bool{false, true} {
					x := pathIndex{cuts: cuts}
					want := c == '\n' || c == '?' && cuts || c >= utf8.RuneSelf
					if got := x.hasSpecialBytes(string(text)); got != want {
						t.Fatalf("%q, cuts %v: %v, want %v", text, cuts, got, want)
					}
				}
			}
		}
	}
	for text, want := range map[string]bool{"": false, "/Zürich/straße": false, "/Z\xfcrich": true, "/é\n": true, "/abcdefé": false, "/abcdef\xc3": true} {
		if got := (&pathIndex{}).hasSpecialBytes(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
