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
	values := make([]string, n)
	for i := range values {
		claims := claimsOf(user)
		claims["jti"] = strconv.Itoa(i)
		value, err := w.sign(claims)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

// claimsOf are what a token of a user says.
func claimsOf(user string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": user, "jti": "0",
		"iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
	}
}

func (w *World) sign(claims jwt.MapClaims) (string, error) {
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(w.secret)
	return "Bearer " + text, err
}
