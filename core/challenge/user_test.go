package challenge_test

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/challenge"
)

func TestCheckUser(t *testing.T) {
	for user, want := range map[string]string{
		"":                       "empty user",
		"ann":                    "",
		"Zoë Ångström":           "",
		strings.Repeat("x", 255): "",
		strings.Repeat("x", 256): "user of 256 bytes: must have at most 255",
		"j\xe4n":                 `user "j\xe4n" is not valid UTF-8`,
		"a\tb":                   `user "a\tb" contains a control character`,
		"a\u0085b":               `user "a\u0085b" contains a control character`,
		"a\x00":                  `user "a\x00" contains a control character`,
		" bob":                   `user " bob" begins or ends with a space`,
		"bob\u00a0":              `user "bob\u00a0" begins or ends with a space`,
	} {
		switch err := challenge.CheckUser(user); {
		case (err == nil) != (want == ""), err != nil && !strings.HasPrefix(err.Error(), want):
			t.Errorf("%q: %v, want %s", user, err, want)
		}
	}
}
