package claims

import (
	"errors"
	"fmt"
	"strings"
)

// kind is what a token was issued as.
type kind int

const (
	kindUnknown kind = iota
	kindAccess
	kindID
	kindOther
)

// kinds says which tokens pass besides access tokens.
type kinds struct{ nonce, id bool }

// kindClaims are those in which issuers say what a token is.
var kindClaims = [...]string{"typ", "token_use", "token_type", "tokenName", "type"}

// kindNames lists their values, in any letter case. Others are ignored.
var kindNames = [...]struct {
	name string
	kind kind
}{
	{"Bearer", kindAccess}, {"DPoP", kindAccess}, {"access", kindAccess}, {"access_token", kindAccess}, {"at+jwt", kindAccess},
	{"ID", kindID}, {"id_token", kindID}, {"Serialized-ID", kindID},
	{"Refresh", kindOther}, {"refresh_token", kindOther}, {"Offline", kindOther},
	{"Logout", kindOther}, {"logout_token", kindOther}, {"logout+jwt", kindOther},
}

// idMarks are claims that only ID tokens have (OpenID Connect Core §3.1.3.6 and
// §3.3.2.11, and s_hash of the Financial-grade API).
var idMarks = [...]string{"at_hash", "c_hash", "s_hash"}

func kindOf(s string) kind {
	if s == "" {
		return kindUnknown
	}
	for _, k := range kindNames {
		if strings.EqualFold(s, k.name) {
			return k.kind
		}
	}
	return kindUnknown
}

// AllowNonce accepts access tokens with the claim nonce.
func (m *Mapping) AllowNonce() { m.kinds.nonce = true }

// AllowIDTokens accepts ID tokens.
func (m *Mapping) AllowIDTokens() { m.kinds.id = true }

// CheckHeader refuses a token whose typ (RFC 7515 §4.1.9) says that it is not an
// access token: a media type of another kind (RFC 8725 §3.11), or a name that
// issuers use for other tokens. access reports whether typ says that it is an
// access token.
func (m *Mapping) CheckHeader(typ string) (access bool, err error) {
	if len(typ) > len("application/") && strings.EqualFold(typ[:len("application/")], "application/") {
		typ = typ[len("application/"):]
	}
	switch k := kindOf(typ); {
	case k == kindAccess:
		return true, nil
	case k == kindID && m.kinds.id:
		return false, nil
	case k != kindUnknown || strings.Contains(typ, "+"):
		return false, fmt.Errorf("header: typ is %.64q: not an access token", typ)
	}
	return false, nil
}

// CheckKind refuses claims of a token that was recognizably not issued as an access
// token: an ID, refresh or logout token, or a security event token (RFC 8417 §2.2).
// access reports that the header calls it an access token, which may have a nonce.
func (m *Mapping) CheckKind(s Set, access bool) error {
	for _, name := range kindClaims {
		text, _ := s[name].(string)
		k := kindOf(text)
		if k == kindUnknown && text != "" && name == "token_use" {
			k = kindOther // it has no other meaning, and no more values than those
		}
		switch k {
		case kindAccess:
			access = true
		case kindID:
			if !m.kinds.id {
				return fmt.Errorf("%s is %.32q: an ID token is not an access token", name, text)
			}
		case kindOther:
			return fmt.Errorf("%s is %.32q: not an access token", name, text)
		}
	}
	if _, ok := s["events"].(map[string]any); ok {
		return errors.New("the token has events: a security event token is not an access token")
	}
	if m.kinds.id {
		return nil
	}
	for _, name := range idMarks {
		if _, ok := s[name]; ok {
			return fmt.Errorf("the token has %s: an ID token is not an access token", name)
		}
	}
	if _, ok := s["nonce"]; ok && !access && !m.kinds.nonce {
		return errors.New("the token has a nonce, as ID tokens have: accept it with WithNonce (nonce) if the issuer's access tokens have one too")
	}
	return nil
}
