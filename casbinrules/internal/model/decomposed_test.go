package model

import "testing"

func TestDecomposed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": -1, "zoe": -1, "zo\u00eb": -1, "zoe\u0308": 2, "/caf\u00e9/e\u0301": 7, "\u0308": -1, "A\u030angstrom": 0, "\u0415\u0308": 0, "\u03b1\u0301": 0,
		"\u304b\u3099": 0, "\uac00": -1, "x\u1100\u1161": 1, "\u1100": -1,
		// Letters that have no character of their own with the mark.
		"\u1ecd\u0300": -1, "q\u0301": -1, "\u0e01\u0e33": -1,
		// Not everything that NFC changes is found, but all first marks are.
		"o\u0323\u0300": 0, "a\u0323\u0302": 0,
	} {
		if got := Decomposed(text); got != want {
			t.Errorf("%+q: %d, want %d", text, got, want)
		}
	}
}
