package stacks

import (
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	issuer   = "https://issuer.example/"
	audience = "things"
	// lifetime is longer than any run takes.
	lifetime = 12 * time.Hour
)

// Allowed are Authorization values of a user whom the policy allows: n tokens
// that differ in their jti alone.
func (w *World) Allowed(n int) ([]string, error) { return w.bearer(w.allowed, n) }

// Refused is the value of a known user whom the policy refuses.
func (w *World) Refused() (string, error) {
	values, err := w.bearer(w.refused, 1)
	if err != nil {
		return "", err
	}
	return values[0], nil
}

func (w *World) bearer(user string, n int) ([]string, error) {
	now := time.Now()
	values := make([]string, n)
	for i := range values {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"iss": issuer, "aud": audience, "sub": user, "jti": strconv.Itoa(i),
			"iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
		})
		text, err := token.SignedString(w.secret)
		if err != nil {
			return nil, err
		}
		values[i] = "Bearer " + text
	}
	return values, nil
}
