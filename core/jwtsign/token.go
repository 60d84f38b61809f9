package jwtsign

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"
)

// Token is the content of a token to sign. Subject is required.
type Token struct {
	// Subject is the user (sub), or the client itself for a client's own token.
	Subject string
	// Audience is what the token is for (aud); nil for the signer's.
	Audience []string
	// Client is the client that the token is issued to (client_id); "" for the
	// signer's.
	Client string
	// Roles are in the claim roles (RFC 9068 §2.2.3.1); nil for none.
	Roles []string
	// Scopes are in the claim scope (RFC 8693 §4.2), each a scope-token of
	// RFC 6749 §3.3; nil for none.
	Scopes []string
	// Lifetime is how long the token is valid, rounded up to whole seconds; zero
	// for the signer's.
	Lifetime time.Duration
	// ID is the token's identifier (jti), unique within the issuer; "" for a random
	// one of at least 128 bits.
	ID string
	// Claims are further claims, encoded with encoding/json. Claims that the fields
	// above or the signer set are an error.
	Claims map[string]any
}

// reserved are the claims that a signer makes itself.
var reserved = [...]string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "roles", "scope"}

// Sign returns a signed access token by RFC 9068: its typ is at+jwt, and it has all
// claims of §2.2.
func (s *Signer) Sign(t Token) (string, error) {
	token, _, err := s.SignUntil(t)
	return token, err
}

// SignUntil is like [Signer.Sign], and also returns the exp of the token.
func (s *Signer) SignUntil(t Token) (token string, exp time.Time, err error) {
	claims, exp, err := s.claims(t)
	if err != nil {
		return "", exp, fmt.Errorf("jwtsign: %w", err)
	}
	key := s.keys.Load().signing
	header, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
		Type      string `json:"typ"`
	}{key.Algorithm(), key.ID(), "at+jwt"})
	if err != nil {
		return "", exp, fmt.Errorf("jwtsign: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", exp, fmt.Errorf("jwtsign: claims: %w", err)
	}
	signed := encode(header) + "." + encode(payload)
	signature, err := key.alg.Sign(key.private, signed)
	if err != nil {
		return "", exp, fmt.Errorf("jwtsign: sign with key %s: %w", key.ID(), err)
	}
	return signed + "." + encode(signature), exp, nil
}

func (s *Signer) claims(t Token) (claims map[string]any, exp time.Time, err error) {
	if err := t.check(); err != nil {
		return nil, exp, err
	}
	lifetime, audience, client := t.Lifetime, t.Audience, t.Client
	if lifetime == 0 {
		lifetime = s.lifetime
	}
	if audience == nil {
		audience = s.audience
	}
	client = cmp.Or(client, s.client)
	if len(audience) == 0 {
		return nil, exp, errors.New("no audience: name it in the token or with WithAudience")
	}
	now := s.now()
	exp = time.Unix(now.Add(lifetime+time.Second-1).Unix(), 0)
	claims = maps.Clone(t.Claims)
	if claims == nil {
		claims = map[string]any{}
	}
	claims["iss"], claims["sub"], claims["client_id"] = s.issuer, t.Subject, client
	claims["iat"], claims["exp"], claims["jti"] = now.Unix(), exp.Unix(), t.ID
	if t.ID == "" {
		claims["jti"] = rand.Text()
	}
	claims["aud"] = audience
	if len(audience) == 1 {
		claims["aud"] = audience[0]
	}
	if len(t.Roles) > 0 {
		claims["roles"] = t.Roles
	}
	if len(t.Scopes) > 0 {
		claims["scope"] = strings.Join(t.Scopes, " ")
	}
	return claims, exp, nil
}

// check refuses content that a verifier would misunderstand.
func (t *Token) check() error {
	if err := checkText("subject", t.Subject); err != nil {
		return err
	}
	if t.Lifetime != 0 {
		if err := checkLifetime(t.Lifetime); err != nil {
			return err
		}
	}
	if !utf8.ValidString(t.ID) {
		return errors.New("ID is not valid UTF-8")
	}
	for _, a := range t.Audience {
		if err := checkText("audience", a); err != nil {
			return err
		}
	}
	for _, r := range t.Roles {
		if err := checkText("role", r); err != nil {
			return err
		}
	}
	for _, scope := range t.Scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return fmt.Errorf("scope %.64q is not one word of printable ASCII (RFC 6749 §3.3)", scope)
		}
	}
	for _, name := range reserved {
		if _, ok := t.Claims[name]; ok {
			return fmt.Errorf("claim %s is set from the fields of the token or by the signer: remove it from Claims", name)
		}
	}
	return nil
}

func checkText(what, value string) error {
	if value == "" || !utf8.ValidString(value) {
		return fmt.Errorf("%s is empty or not valid UTF-8", what)
	}
	return nil
}

func checkLifetime(d time.Duration) error {
	if d < time.Second || d > maxLifetime {
		return fmt.Errorf("lifetime %v: must be from 1 s to %d days", d, int(maxLifetime/(24*time.Hour)))
	}
	return nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
