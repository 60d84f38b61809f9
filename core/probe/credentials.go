package probe

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// The kinds of bad credentials, which findings name as the sender.
const (
	asMalformed = "malformed token"
	asUnsigned  = "unsigned token"
	asForeign   = "foreign token"
	asAltered   = "altered token"
	asExpired   = "expired token"
	asBasic     = "malformed Basic"
	asPassword  = "wrong password"
)

// truncated is the variant of a token of which only the beginning is sent.
const truncated = "cut off"

// badCredential is a set of credentials that must not be accepted.
type badCredential struct {
	as, variant string
	header      []core.Field
}

// badCredentials returns credentials that must not be accepted: malformed ones, tokens
// like that of the first identity with one that are unsigned, altered, expired or signed
// with a key of our own, and the bad ones among identities.
func badCredentials(identities []Identity) []badCredential {
	var made []badCredential
	add := func(as, variant, value string) {
		made = append(made, badCredential{as, variant, []core.Field{{Name: "Authorization", Value: value}}})
	}
	add(asMalformed, "no token", "Bearer")
	add(asMalformed, "one word", "Bearer not-a-token")
	add(asMalformed, "three parts that are not JSON", "Bearer a.b.c")
	add(asMalformed, "spaces", "Bearer a b c")
	add(asBasic, "no base64", "Basic !!!")
	add(asBasic, "no colon", "Basic Zm9v")
	model := jwt{header: map[string]any{"alg": "HS256", "typ": "JWT"}, claims: map[string]any{"sub": "sallyport-probe", "exp": time.Now().Add(time.Hour).Unix()}}
	for _, id := range identities {
		if token, ok := parseJWT(bearerToken(id.Header)); ok && !id.isBad() {
			model = token
			add(asMalformed, truncated, "Bearer "+token.text[:len(token.text)*2/3])
			add(asAltered, "another subject under the same signature", "Bearer "+model.with("sub", "root").text)
			break
		}
	}
	for _, id := range identities {
		if name := basicUser(id.Header); name != "" && !id.isBad() {
			made = append(made, badCredential{asPassword, "of an account that does not exist", []core.Field{basic(fakeAccount(name), fakePassword())}})
			break
		}
	}
	for _, f := range model.forgeries() {
		add(f.as, f.variant, "Bearer "+f.token)
	}
	made = append(made, badInPlaces(identities)...)
	for _, id := range identities {
		if id.isBad() {
			made = append(made, badCredential{id.Name, "credentials of " + id.Name, id.Header})
		}
	}
	return made
}

// isBad reports whether the credentials must be refused.
func (id Identity) isBad() bool {
	if id.Bad {
		return true
	}
	token, ok := parseJWT(bearerToken(id.Header))
	if !ok {
		return false
	}
	exp, ok := token.claims["exp"].(json.Number)
	if !ok {
		return false
	}
	at, err := exp.Float64()
	return err == nil && at < float64(time.Now().Unix())
}

// good returns the identities whose credentials are accepted.
func (s *Settings) good() []Identity {
	var ids []Identity
	for _, id := range s.Identities {
		if !id.isBad() {
			ids = append(ids, id)
		}
	}
	return ids
}

func field(header []core.Field, name string) string {
	for _, f := range header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func bearerToken(header []core.Field) string {
	scheme, token, _ := strings.Cut(field(header, "Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// jwt is a JSON Web Token whose signature is not verified.
type jwt struct {
	header, claims  map[string]any
	text, signature string
}

func parseJWT(token string) (jwt, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return jwt{}, false
	}
	t := jwt{text: token, signature: parts[2]}
	for i, into := range []*map[string]any{&t.header, &t.claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return jwt{}, false
		}
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.UseNumber()
		if d.Decode(into) != nil || *into == nil {
			return jwt{}, false
		}
	}
	return t, true
}

// with returns the token with another claim and the same signature.
func (t jwt) with(name string, value any) jwt {
	claims := map[string]any{name: value}
	for k, v := range t.claims {
		if k != name {
			claims[k] = v
		}
	}
	t.claims = claims
	t.text = t.signed("") + "." + t.signature
	return t
}

// signed returns the signing input, with the token's own algorithm if alg is "".
func (t jwt) signed(alg string) string {
	header := map[string]any{}
	maps.Copy(header, t.header)
	if alg != "" {
		header["alg"] = alg
	}
	return encodeJSON(header) + "." + encodeJSON(t.claims)
}

func encodeJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "" // cannot happen: claims come from JSON, or from this package
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// forgery is a token that nobody issued.
type forgery struct{ as, variant, token string }

func (t jwt) forgeries() []forgery {
	return []forgery{
		{asUnsigned, "alg none", t.unsigned("none")},
		{asUnsigned, "alg None", t.unsigned("None")},
		{asForeign, "signed by another key (HS256)", t.signHMAC()},
		{asForeign, "signed by another key (EdDSA)", t.signEd25519()},
		{asExpired, "expired, signed by another key", t.with("exp", time.Now().Add(-time.Hour).Unix()).signHMAC()},
	}
}

func (t jwt) unsigned(alg string) string { return t.signed(alg) + "." }

func (t jwt) signHMAC() string {
	signed := t.signed("HS256")
	mac := hmac.New(sha256.New, []byte(rand.Text()))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (t jwt) signEd25519() string {
	signed := t.signed("EdDSA")
	seed := sha256.Sum256([]byte(rand.Text()))
	sig := ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), []byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}
