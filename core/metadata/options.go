package metadata

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core/internal/loopback"
	"github.com/sallyport-go/sallyport/core/internal/once"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/option"
)

// settings holds what options set.
type settings struct {
	members members
	age     time.Duration
	set     once.Options
}

// Option configures a [Document].
type Option func(*settings) error

// WithAuthorizationServers names the issuers of the tokens that the resource
// accepts (authorization_servers): https URLs without query and fragment (RFC 8414
// §2), exactly as in the iss of the tokens, or http on a loopback host.
func WithAuthorizationServers(issuers ...string) Option {
	return func(s *settings) error {
		for _, issuer := range issuers {
			if err := checkURL(issuer); err != nil {
				return fmt.Errorf("authorization server %q: %w", quiet.Text(issuer), err)
			}
			if strings.Contains(issuer, "?") {
				return fmt.Errorf("authorization server %q: an issuer has no query (RFC 8414 §2)", quiet.Text(issuer))
			}
		}
		return set(&s.members.AuthorizationServers, "authorization server", issuers)
	}
}

// WithScopes names the scopes that a token for the resource may need
// (scopes_supported). Omit those that should not be public.
func WithScopes(scopes ...string) Option {
	return func(s *settings) error {
		for _, scope := range scopes {
			if !isWord(scope) {
				return fmt.Errorf("scope %q is not a scope-token (RFC 6749 §3.3)", scope)
			}
		}
		return set(&s.members.ScopesSupported, "scope", scopes)
	}
}

// WithDPoP says that the resource accepts tokens that are bound to a key, with
// proofs signed by one of algs (dpop_signing_alg_values_supported). Pass the same
// algorithms as to WithAlgorithms of package dpop.
func WithDPoP(algs ...string) Option {
	return func(s *settings) error {
		if err := checkAlgs(algs); err != nil {
			return err
		}
		return set(&s.members.DPoPAlgs, "DPoP algorithm", algs)
	}
}

// WithDPoPRequired says that the resource accepts only such tokens
// (dpop_bound_access_tokens_required). It requires [WithDPoP].
func WithDPoPRequired() Option {
	return func(s *settings) error { return option.On(&s.members.DPoPRequired) }
}

// WithKeys says where the resource's own public keys are (jwks_uri), and which
// algorithms it signs its responses with, if it does
// (resource_signing_alg_values_supported).
func WithKeys(address string, algs ...string) Option {
	return func(s *settings) error {
		if err := checkAlgs(algs); err != nil {
			return err
		}
		if len(algs) > 0 {
			if err := set(&s.members.SigningAlgs, "signing algorithm", algs); err != nil {
				return err
			}
		}
		return setURL(&s.members.JWKSURI, "address of the keys", address)
	}
}

// WithName sets the human-readable name of the resource (resource_name).
func WithName(name string) Option {
	return func(s *settings) error {
		return s.set.Once("WithName", option.SetUnless(&s.members.Name, name, name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl), "name %q is empty, not valid UTF-8 or has a control character", name))
	}
}

// WithDocumentation sets the address of a page for developers
// (resource_documentation).
func WithDocumentation(address string) Option {
	return func(s *settings) error { return setURL(&s.members.Documentation, "documentation", address) }
}

// WithPolicy sets the address of a page on how clients may use the data
// (resource_policy_uri).
func WithPolicy(address string) Option {
	return func(s *settings) error { return setURL(&s.members.Policy, "policy", address) }
}

// WithTermsOfService sets the address of a page with the terms (resource_tos_uri).
func WithTermsOfService(address string) Option {
	return func(s *settings) error { return setURL(&s.members.TermsOfService, "terms of service", address) }
}

// WithCacheMaxAge sets how long anyone may cache the document: an hour by default,
// from 0 to 7 days, in whole seconds.
func WithCacheMaxAge(d time.Duration) Option {
	return func(s *settings) error {
		return s.set.Once("WithCacheMaxAge", option.SetUnless(&s.age, d, d < 0 || d > 7*24*time.Hour || d%time.Second != 0, "cache max age %v: must be whole seconds, from 0 to 7 days", d))
	}
}

// set copies a list into to. The list must not be empty, set before, or contain
// duplicates.
func set(to *[]string, what string, values []string) error {
	if len(values) == 0 {
		return fmt.Errorf("no %s given", what)
	}
	if *to != nil {
		return fmt.Errorf("%ss are given twice", what)
	}
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			return fmt.Errorf("%s %q is given twice", what, v)
		}
	}
	*to = slices.Clone(values)
	return nil
}

func setURL(to *string, what, address string) error {
	if err := checkURL(address); err != nil {
		return fmt.Errorf("%s %q: %w", what, quiet.Text(address), err)
	}
	if *to != "" {
		return fmt.Errorf("the %s is given twice: give it once", what)
	}
	*to = address
	return nil
}

// checkURL requires an absolute https URL without user and fragment, in ASCII, or
// such a URL with http on a loopback host.
func checkURL(address string) error {
	u, err := url.Parse(address)
	https := strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
	if err != nil || !https || u.Hostname() == "" || u.User != nil {
		return errors.New("not an absolute https URL without user")
	}
	if u.Scheme == "http" && !loopback.Host(u.Hostname()) {
		return errors.New("https is needed; plain http is accepted on a loopback host only")
	}
	if strings.Contains(address, "#") {
		return errors.New("fragment: remove it")
	}
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return fmt.Errorf("byte %#02x at offset %d: encode it", c, i)
		}
	}
	return nil
}

// checkAlgs requires names of asymmetric JWS algorithms: with a shared secret there
// would be no key to publish, and "none" does not sign.
func checkAlgs(algs []string) error {
	for _, alg := range algs {
		if !isWord(alg) || strings.EqualFold(alg, "none") || strings.HasPrefix(alg, "HS") {
			return fmt.Errorf("algorithm %q is not one that signs with a private key, such as ES256", alg)
		}
	}
	return nil
}

// isWord reports whether s is a scope-token of RFC 6749 §3.3.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}
