package jwttest

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

var keyCases = []testCase{
	{"E03 members of a JWK bind", boundMembers},
	{"E04 keys inside a token are not used", keysInside},
	{"E05 no address in a token is asked", addressesInside},
	{"E06 kid is an opaque string", opaqueKid},
	{"E23 weak keys are refused at load", weakKeys},
	{"E23 nothing is signed with an empty or short secret", weakSecrets},
}

// boundMembers: RFC 7517 §4. A set with such a key does not load.
func boundMembers(t *testing.T, b bench) {
	for _, tc := range []struct {
		alg, member string
		value       any
	}{
		{"RS256", "use", "enc"},
		{"RS256", "use", 1},
		{"ES256", "key_ops", []string{"encrypt"}},
		{"ES256", "key_ops", []string{"sign"}},
		{"ES256", "key_ops", []string{"verify", "deriveKey"}},
		{"ES256", "key_ops", "verify"},
		{"RS256", "alg", "ES256"},
		{"RS256", "alg", "HS256"},
		{"RS256", "alg", "RSA-OAEP"},
		{"RS256", "alg", "none"},
		{"RS256", "alg", nil},
		{"ES256", "alg", "ES384"},
		{"EdDSA", "alg", "ES256"},
		{"RS256", "kty", "EC"},
		{"RS256", "kty", "oct"},
		{"ES256", "kty", "RSA"},
		{"ES256", "kty", "OKP"},
		{"EdDSA", "kty", "EC"},
		{"ES256", "kty", "ec"},
		{"ES256", "kty", nil},
		{"ES256", "crv", "P-384"},
		{"ES256", "crv", "secp256k1"},
		{"ES256", "crv", nil},
		{"EdDSA", "crv", "X25519"},
		{"ES256", "y", base64url(make([]byte, 32))},
		{"ES256", "d", base64url(make([]byte, 32))},
		{"RS256", "d", "AQAB"},
	} {
		key := b.keys.jwk(t, tc.alg)
		if _, err := jwtauth.KeySetFromJWKS("jwks.json", setOf(t, key)); err != nil {
			t.Errorf("%s as it is: %v", tc.alg, err)
		}
		key[tc.member] = tc.value
		if _, err := jwtauth.KeySetFromJWKS("jwks.json", setOf(t, key)); err == nil {
			t.Errorf("%s with %s %v is loaded", tc.alg, tc.member, tc.value)
		}
	}
	s := b.serve(t)
	s.try(onPublic,
		attempt{"the key's own algorithm", s.keys.good(t, "PS384"), ""},
		attempt{"another than the key's alg", s.keys.token(t, "RS384", `{"alg":"RS384","kid":"`+kid("PS384")+`"}`, claims()), core.ReasonBadAlgorithm})
}

// keysInside: RFC 8725 §3.10. The token is signed with the key that it contains.
func keysInside(t *testing.T, b bench) {
	stranger := &keys{signing: b.keys.foreign}
	s := b.serve(t)
	for path, algorithms := range map[string][]string{onPublic: {"ES256", "EdDSA"}, onSecret: {"HS256"}} {
		for _, alg := range algorithms {
			inside := map[string]any{"kty": "oct", "alg": alg}
			if alg == "HS256" {
				inside["k"] = base64url(b.keys.foreign[alg].([]byte))
			} else {
				inside = stranger.jwk(t, alg)
			}
			brought, err := json.Marshal(inside)
			if err != nil {
				t.Fatal(err)
			}
			jwk, x5c := `"jwk":`+string(brought), `"x5c":["MIIB"],"x5t":"AAAA","x5t#S256":"AAAA"`
			for name, head := range map[string]string{
				"jwk": header(alg, jwk), "x5c": header(alg, x5c), "without kid": `{"alg":"` + alg + `",` + jwk + `}`,
			} {
				s.try(path,
					attempt{alg + " " + name, stranger.token(t, alg, head, claims()), core.ReasonBadSignature},
					attempt{alg + " " + name + " by the issuer", b.keys.token(t, alg, head, claims()), ""})
			}
			s.try(path, attempt{alg + " kid of the key inside",
				stranger.token(t, alg, `{"alg":"`+alg+`","kid":"theirs",`+jwk+`}`, claims()), core.ReasonUnknownKey})
		}
	}
}

// addressesInside: RFC 8725 §3.10. Only the test itself connects to the address.
func addressesInside(t *testing.T, b bench) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing was written
	url := "http://" + l.Addr().String() + "/jwks.json"
	s := b.serve(t)
	for _, name := range []string{"jku", "x5u", "iss", "jwks_uri"} {
		at := fmt.Sprintf("%q:%q", name, url)
		head := header("ES256", at)
		unnamed := `{"alg":"ES256",` + at + `}`
		named := fmt.Sprintf(`{"alg":"ES256","kid":%q,%s}`, url, at)
		s.try(onPublic,
			attempt{name + " by a stranger", signed(t, "ES256", s.keys.foreign["ES256"], unsigned(head, claims())), core.ReasonBadSignature},
			attempt{name + " without kid", signed(t, "ES256", s.keys.foreign["ES256"], unsigned(unnamed, claims())), core.ReasonBadSignature},
			attempt{name + " and kid", s.keys.token(t, "ES256", named, claims()), core.ReasonUnknownKey},
			attempt{name + " by the issuer", s.keys.token(t, "ES256", head, claims()), ""})
	}
	s.try(onPublic,
		attempt{"as issuer", s.keys.good(t, "ES256", fmt.Sprintf("%q:%q", "iss", url)), core.ReasonWrongIssuer},
		attempt{"as audience", s.keys.good(t, "ES256", fmt.Sprintf("%q:%q", "aud", url)), core.ReasonWrongAudience})

	// Connections are accepted in the order they were made.
	own, err := net.DialTimeout("tcp", l.Addr().String(), authtest.TimeLimit(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close() //nolint:errcheck // nothing was written
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close() //nolint:errcheck // nothing was written
	if first.RemoteAddr().String() != own.LocalAddr().String() {
		t.Errorf("the address in a token was fetched, from %s", first.RemoteAddr())
	}
}

// opaqueKid: RFC 7515 §4.1.4.
func opaqueKid(t *testing.T, b bench) {
	s := b.serve(t)
	try := func(value string, reason core.Reason) {
		t.Helper()
		head := `{"alg":"ES256","kid":` + value + `}`
		s.try(onPublic, attempt{fmt.Sprintf("kid %.60s", value), s.keys.token(t, "ES256", head, claims()), reason})
	}
	try(`"key-ES256"`, "")
	try(`"key\u002dES256"`, "") // the same string
	for _, value := range []string{
		`1`, `0`, `-1.5`, `true`, `false`, `null`, `[]`, `["key-ES256"]`, `{}`, `{"kid":"key-ES256"}`, `""`,
		`"` + strings.Repeat("k", 257) + `"`,
	} {
		try(value, core.ReasonMalformed)
	}
	for _, value := range []string{
		`"KEY-ES256"`, `"key-es256"`, `"key-ES256 "`, `"key-ES256\u0000"`, `"./key-ES256"`, `"../../../../dev/null"`, `"/etc/passwd"`,
		`"key-ES256' OR '1'='1"`, `"x' UNION SELECT 'k"`, `"*"`, `"key-ES*"`, `"${jndi:ldap://x}"`, `"\r\nlevel=info msg=forged"`,
		`"\u202ekey"`, `"` + strings.Repeat("k", 256) + `"`,
	} {
		try(value, core.ReasonUnknownKey)
	}
}

// weakKeys: RFC 7518 §3.2 and §3.3.
func weakKeys(t *testing.T, b bench) {
	for alg, least := range map[string]int{"HS256": 32, "HS384": 48, "HS512": 64} {
		for _, size := range []int{0, 1, least - 1, least} {
			secret := b.keys.signing[alg].([]byte)[:size]
			key := map[string]any{"kty": "oct", "alg": alg, "k": base64url(secret)}
			_, direct := jwtauth.HMACKey("", alg, secret)
			_, loaded := jwtauth.KeySetFromJWKS("jwks.json", setOf(t, key))
			if ok := size == least; (direct == nil) != ok || (loaded == nil) != ok {
				t.Errorf("%s with %d bytes: HMACKey %v, JWK %v", alg, size, direct, loaded)
			}
		}
	}
	n := b.keys.public(t, "RS256").(*rsa.PublicKey).N
	short := func(bits uint) []byte { // an odd number of that size
		v := new(big.Int).Rsh(n, uint(n.BitLen())-bits)
		return v.SetBit(v, 0, 1).Bytes()
	}
	for name, change := range map[string]map[string]any{
		"512 bits":   {"n": base64url(short(512))},
		"1024 bits":  {"n": base64url(short(1024))},
		"2047 bits":  {"n": base64url(short(2047))},
		"even n":     {"n": base64url(new(big.Int).Lsh(n, 1).Bytes())},
		"empty n":    {"n": ""},
		"e of 0":     {"e": "AA"},
		"e of 1":     {"e": "AQ"},
		"e of 2":     {"e": "Ag"},
		"e too long": {"e": base64url(bytes.Repeat([]byte{255}, 9))},
		"empty e":    {"e": ""},
		"no e":       {"e": nil},
	} {
		for _, alg := range []string{"RS256", "PS256"} {
			key := b.keys.jwk(t, alg)
			maps.Copy(key, change)
			if _, err := jwtauth.KeySetFromJWKS("jwks.json", setOf(t, key)); err == nil {
				t.Errorf("%s with %s is loaded", alg, name)
			}
		}
	}
	for _, data := range []string{`{"keys":[]}`, `{}`, ``} {
		if _, err := jwtauth.KeySetFromJWKS("jwks.json", []byte(data)); err == nil {
			t.Errorf("a set without keys is loaded: %q", data)
		}
	}
}

// weakSecrets: guessable secrets verify nothing.
func weakSecrets(t *testing.T, b bench) {
	s := b.serve(t)
	for _, alg := range secretAlgorithms {
		own := s.keys.signing[alg].([]byte)
		for name, secret := range map[string][]byte{
			"empty": {}, "zeros": make([]byte, 64), "secret": []byte("secret"), "a prefix": own[:32], "a stranger's": s.keys.foreign[alg].([]byte),
		} {
			for _, head := range []string{header(alg), `{"alg":"` + alg + `"}`} {
				s.try(onSecret, attempt{alg + " " + name, signed(t, alg, secret, unsigned(head, claims())), core.ReasonBadSignature})
			}
		}
		s.try(onSecret, attempt{alg, s.keys.good(t, alg), ""})
	}
}
