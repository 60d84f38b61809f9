package setup

import (
	"fmt"
	"os"
	"slices"
)

// Issuer describes the tokens that a file accepts from one issuer, for programs that
// issue test tokens.
type Issuer struct {
	Issuer   string // "" if the file has a template
	Audience []string
	// JWKS is the path of its JWK set, or "" if the set is not a file.
	JWKS string
}

// ReadIssuer reads the file at path as [Open] does, without opening its parts, and
// returns the issuer called name, or the first one if none is called so. A file
// without bearer is an error.
func ReadIssuer(path, name string) (Issuer, error) {
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
		called := func(c issuerConfig) bool { return c.Issuer == name }
		one = c.Bearer.Issuers[max(0, slices.IndexFunc(c.Bearer.Issuers, called))]
	}
	found := Issuer{Issuer: one.Issuer, Audience: one.Audience}
	if !one.JWKS.Remote() {
		found.JWKS = string(one.JWKS)
	}
	return found, nil
}
