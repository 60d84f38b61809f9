package setup

import (
	"fmt"
	"os"
)

// Issuer describes the tokens that a file accepts, for programs that issue test
// tokens.
type Issuer struct {
	// Issuer and Audience are those of the first issuer in the file.
	Issuer   string
	Audience []string
	// JWKS is the path of its JWK set, or "" if the set is not a file.
	JWKS string
}

// ReadIssuer reads the file at path as [Open] does, without opening its parts. A
// file without bearer is an error.
func ReadIssuer(path string) (Issuer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Issuer{}, fmt.Errorf("setup: %w", err)
	}
	c, _, err := read(path, text)
	if err != nil {
		return Issuer{}, err
	}
	if c.Bearer == nil {
		return Issuer{}, fmt.Errorf("%s accepts no tokens: it has no section bearer", path)
	}
	one := c.Bearer.issuerConfig
	if len(c.Bearer.Issuers) > 0 {
		one = c.Bearer.Issuers[0]
	}
	found := Issuer{Issuer: one.Issuer, Audience: one.Audience}
	if !one.JWKS.Remote() {
		found.JWKS = string(one.JWKS)
	}
	return found, nil
}
