package challenge

import (
	"strings"
	"testing"
)

// TestToken68AtAnyLength has a foreign byte at every place of tokens of every
// length: RFC 9110 §11.2 allows none but the padding, at the end.
func TestToken68AtAnyLength(t *testing.T) {
	const token = "aZ09-._~+/AbCdEfGhIjKlMnOpQ"
	for length := range len(token) {
		if got := token68Len(token[:length]); got != length {
			t.Errorf("%q: %d, want %d", token[:length], got, length)
		}
		if got := IsToken68(token[:length] + "=="); got != (length > 0) {
			t.Errorf("%q and padding: %v", token[:length], got)
		}
		for at := range length {
			for _, foreign := range []byte(" =,\"!\x00\x7f\x80\xff") {
				s := token[:at] + string([]byte{foreign}) + token[at:length]
				want := at
				if foreign == '=' && at > 0 {
					want++
				}
				if got := token68Len(s); got != want {
					t.Errorf("%q: %d, want %d", s, got, want)
				}
				if IsToken68(s) {
					t.Errorf("%q is taken for a token68", strings.ToValidUTF8(s, "?"))
				}
			}
		}
	}
}
