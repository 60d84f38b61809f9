package htpasswd

import (
	"strings"
	"testing"
)

// C08: the refusals should take the same time, whatever the user's own cost.
func BenchmarkVerifyPassword(b *testing.B) {
	f := mustParse(b, "low:"+hashOf(b, "secret", 8)+"\nhigh:"+hashOf(b, "secret", 10))
	for _, c := range []struct{ name, user, password string }{
		{"unknown_user", "nobody", "wrong"},
		{"wrong_password", "high", "wrong"},
		{"wrong_password_of_a_cheap_hash", "low", "wrong"},
		{"too_long_password", "high", strings.Repeat("x", 73)},
		{"right_password", "high", "secret"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, _ = f.VerifyPassword(b.Context(), c.user, c.password)
			}
		})
	}
}
