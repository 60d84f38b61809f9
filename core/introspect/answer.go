package introspect

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
)

// maxDate is the end of the year 9999 in seconds since 1970; a larger number is
// no date.
const maxDate = 253402300799

// answer is an introspection response (RFC 7662 §2.2). For an inactive token
// only active is looked at.
type answer struct {
	active    bool
	members   map[string]any
	issuer    string
	subject   string
	scope     string
	tokenType string
	tokenUse  string
	audience  []string
	// Zero when the answer has none.
	notBefore, expires, authTime time.Time
	confirmation                 map[string]any // cnf (RFC 7800 §3); nil for none
}

// otherConfirmations are the members of cnf that bind a token to something else
// than a DPoP key (RFC 7800 §3, RFC 8705 §3.1).
var otherConfirmations = [...]string{"jwk", "jwe", "jku", "kid", "x5t#S256"}

// decode reads an answer. A member of another type than RFC 7662 gives it makes
// the whole answer unfit: its sender cannot be trusted to mean what we read.
// Errors name members and never repeat their values.
func decode(text string) (answer, error) {
	m, err := strictjson.Decode(text)
	if err != nil {
		return answer{}, err
	}
	active, ok := m["active"].(bool)
	if !ok {
		return answer{}, errors.New("active is not true or false")
	}
	a := answer{active: active}
	if !active {
		return a, nil
	}
	delete(m, "active")
	a.members = m
	if cnf, ok := m["cnf"]; ok {
		if a.confirmation, ok = cnf.(map[string]any); !ok {
			return answer{}, errors.New("cnf is not an object")
		}
	}
	for _, member := range []struct {
		name string
		to   *string
	}{
		{"iss", &a.issuer}, {"sub", &a.subject}, {"scope", &a.scope},
		{"token_type", &a.tokenType}, {"token_use", &a.tokenUse}, {"client_id", new(string)},
	} {
		if *member.to, err = textAt(m, path{member.name}); err != nil {
			return answer{}, err
		}
	}
	for _, member := range []struct {
		name string
		to   *time.Time
	}{{"nbf", &a.notBefore}, {"exp", &a.expires}, {"auth_time", &a.authTime}, {"iat", new(time.Time)}} {
		if *member.to, err = date(m, member.name); err != nil {
			return answer{}, err
		}
	}
	if a.audience, err = audience(m); err != nil {
		return answer{}, err
	}
	return a, nil
}

// judge holds an answer against what is expected of one. Its error is for an
// answer that cannot be read; a token that proves nobody is in the verdict.
func (v *Verifier) judge(a answer) (verdict, error) {
	if err := v.expected(a); err != nil {
		return verdict{refusal: err}, nil
	}
	jkt, err := a.thumbprint()
	if err != nil {
		return verdict{refusal: err}, nil
	}
	scheme := "Bearer"
	if jkt != "" {
		scheme = "DPoP"
	}
	if a.tokenType != "" && !strings.EqualFold(a.tokenType, scheme) {
		return verdict{refusal: refuse(core.ReasonBadClaim, "token_type is %.32q, not %s", a.tokenType, scheme)}, nil
	}
	info := core.PrincipalInfo{
		ID:       a.subject,
		Scheme:   scheme,
		Scopes:   splitSpaces(a.scope),
		Claims:   a.members,
		AuthTime: a.authTime,
		Expires:  a.expires,
	}
	if info.Roles, err = listAt(a.members, v.roles); err != nil {
		return verdict{}, err
	}
	if v.tenant != nil {
		if info.Tenant, err = textAt(a.members, v.tenant); err != nil {
			return verdict{}, err
		}
	}
	p, err := core.NewPrincipal(info)
	if err != nil {
		return verdict{}, err
	}
	return verdict{principal: p, jkt: jkt, notBefore: a.notBefore, expires: a.expires}, nil
}

// expected is why the token proves nobody here, whatever the time.
func (v *Verifier) expected(a answer) error {
	switch {
	case !a.active:
		return refuse(ReasonInactive, "the endpoint does not call the token active")
	case !v.anyIssuer && a.issuer != v.issuer:
		return refuse(core.ReasonWrongIssuer, "iss is %.128q, not %q", a.issuer, v.issuer)
	case !v.anyAud && !slices.ContainsFunc(a.audience, func(aud string) bool { return slices.Contains(v.audiences, aud) }):
		return refuse(core.ReasonWrongAudience, "aud holds none of %q", v.audiences)
	case a.tokenUse != "" && a.tokenUse != "access_token":
		// Servers that look at all their tokens find refresh tokens, too.
		return refuse(core.ReasonBadClaim, "token_use is %.32q, not access_token", a.tokenUse)
	case a.subject == "":
		return refuse(core.ReasonBadClaim, "no sub")
	}
	return nil
}

// thumbprint is cnf.jkt, the only form of binding that can be confirmed here
// (RFC 9449 §6.2); "" for a token that is bound to nothing.
func (a answer) thumbprint() (string, error) {
	if a.confirmation == nil {
		return "", nil
	}
	for _, name := range otherConfirmations {
		if _, ok := a.confirmation[name]; ok {
			return "", refuse(core.ReasonBadClaim, "cnf: the token is bound by %s, which is not checked here", name)
		}
	}
	jkt, _ := a.confirmation["jkt"].(string)
	if sum, err := base64.RawURLEncoding.Strict().DecodeString(jkt); err != nil || len(sum) != sha256.Size || strings.ContainsAny(jkt, "\r\n") {
		return "", refuse(core.ReasonBadClaim, "cnf: jkt is not a SHA-256 thumbprint in base64url")
	}
	return jkt, nil
}

// audience is a string or an array of strings (RFC 7662 §2.2, RFC 7519 §4.1.3).
func audience(m map[string]any) ([]string, error) {
	v, err := lookup(m, path{"aud"})
	if v == nil || err != nil {
		return nil, err
	}
	switch aud := v.(type) {
	case string:
		return []string{aud}, nil
	case []any:
		out := make([]string, len(aud))
		for i, e := range aud {
			s, ok := e.(string)
			if !ok {
				return nil, errors.New("aud holds something else than strings")
			}
			out[i] = s
		}
		return out, nil
	}
	return nil, errors.New("aud is neither a string nor an array")
}

// date is a time in seconds since 1970, zero when there is no such member.
func date(m map[string]any, name string) (time.Time, error) {
	v, ok := m[name]
	if !ok {
		return time.Time{}, nil
	}
	seconds, isNumber := v.(float64) // anything larger is a json.Number
	if !isNumber || seconds <= 0 || seconds > maxDate {
		return time.Time{}, fmt.Errorf("%s is not a date", name)
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), nil
}

// lookup is the member at p; nil without error when there is none.
func lookup(m map[string]any, p path) (any, error) {
	for _, name := range p[:len(p)-1] {
		v, ok := m[name]
		if !ok {
			return nil, nil
		}
		if m, ok = v.(map[string]any); !ok {
			return nil, fmt.Errorf("%s in %s is not an object", name, p)
		}
	}
	v, ok := m[p[len(p)-1]]
	if ok && v == nil {
		return nil, fmt.Errorf("%s is null", p)
	}
	return v, nil
}

// textAt is the one string at p, or "" when there is no such member.
func textAt(m map[string]any, p path) (string, error) {
	v, err := lookup(m, p)
	if v == nil || err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok || strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return "", fmt.Errorf("%s is not a string without control characters", p)
	}
	return s, nil
}

// listAt is the array of strings at p, or nil when there is no such member. An
// empty string in it would match empty fields in policies.
func listAt(m map[string]any, p path) ([]string, error) {
	v, err := lookup(m, p)
	if v == nil || err != nil {
		return nil, err
	}
	elements, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not an array", p)
	}
	out := make([]string, len(elements))
	for i, e := range elements {
		if out[i], ok = e.(string); !ok || out[i] == "" || strings.IndexFunc(out[i], unicode.IsControl) >= 0 {
			return nil, fmt.Errorf("%s: element %d is not a string, is empty or has a control character", p, i+1)
		}
	}
	return out, nil
}

// splitSpaces splits at spaces only (RFC 6749 §3.3).
func splitSpaces(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' })
}
