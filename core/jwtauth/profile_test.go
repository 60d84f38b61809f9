package jwtauth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// accessClaims are the claims that RFC 9068 §2.2 requires.
func accessClaims(members ...string) string {
	return with(append([]string{`"client_id":"spa"`, `"iat":1799999990`, `"jti":"j-1"`}, members...)...)
}

func accessToken(t testing.TB, typ, claims string) string {
	t.Helper()
	return sign(t, "HS256", secret, `{"alg":"HS256","typ":`+typ+`}`, claims)
}

// B13: RFC 9068 §2.1 and §4, RFC 8725 §3.11.
func TestOnlyAccessTokensPass(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithAccessTokenProfile())
	for typ, reason := range map[string]core.Reason{
		`"at+jwt"`: "", `"AT+JWT"`: "", `"At+Jwt"`: "", `"application/at+jwt"`: "", `"Application/AT+JWT"`: "",
		`"JWT"`: core.ReasonWrongType, `"logout+jwt"`: core.ReasonWrongType, `"dpop+jwt"`: core.ReasonWrongType,
		`"vp+jwt"`: core.ReasonWrongType, `""`: core.ReasonWrongType, `"at+jwt "`: core.ReasonWrongType,
		`"at+jwt;x=1"`: core.ReasonWrongType, `"text/at+jwt"`: core.ReasonWrongType, `"application/application/at+jwt"`: core.ReasonWrongType,
		`"at\u212Ajwt"`: core.ReasonWrongType, `7`: core.ReasonMalformed, `null`: core.ReasonMalformed,
	} {
		t.Run(typ, func(t *testing.T) { wantReason(t, v, accessToken(t, typ, accessClaims()), reason) })
	}
	wantReason(t, v, hs256(t, accessClaims()), core.ReasonWrongType)
}

func TestAccessTokensHaveAllClaims(t *testing.T) { // B13
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithAccessTokenProfile())
	for _, tc := range []struct {
		member string
		reason core.Reason
	}{
		{`"client_id"`, core.ReasonBadClaim}, {`"client_id":""`, core.ReasonBadClaim}, {`"client_id":7`, core.ReasonBadClaim},
		{`"jti"`, core.ReasonBadClaim}, {`"jti":""`, core.ReasonBadClaim}, {`"jti":7`, core.ReasonBadClaim}, {`"jti":null`, core.ReasonBadClaim},
		{`"iat"`, core.ReasonBadClaim}, {`"iat":"1"`, core.ReasonBadClaim},
		{`"sub"`, core.ReasonBadClaim}, {`"exp"`, core.ReasonBadClaim},
		{`"iss"`, core.ReasonWrongIssuer}, {`"aud"`, core.ReasonWrongAudience},
	} {
		t.Run(tc.member, func(t *testing.T) {
			claims := leaveOut(t, accessClaims(), tc.member)
			if strings.Contains(tc.member, ":") {
				claims = accessClaims(tc.member)
			}
			wantReason(t, v, accessToken(t, `"at+jwt"`, claims), tc.reason)
		})
	}
}

// leaveOut returns claims without a member.
func leaveOut(t testing.TB, claims, member string) string {
	t.Helper()
	name, _, _ := strings.Cut(member, ":")
	var kept []string
	for m := range strings.SplitSeq(strings.Trim(claims, "{}"), ",") {
		if !strings.HasPrefix(m, name+":") {
			kept = append(kept, m)
		}
	}
	out := "{" + strings.Join(kept, ",") + "}"
	if out == claims {
		t.Fatalf("no %s in %s", name, claims)
	}
	return out
}

// B15: a client named like a user is not that user.
func TestClientsAreNotUsers(t *testing.T) {
	own := accessClaims(`"client_id":"alice"`)
	users := accessClaims()
	imitator := strings.Replace(users, `"sub":"alice"`, `"sub":"client:alice"`, 1)
	for _, tc := range []struct {
		name   string
		opts   []jwtauth.Option
		claims string
		id     string // "" if refused
	}{
		{"user", []jwtauth.Option{jwtauth.WithAccessTokenProfile()}, users, "alice"},
		{"client", []jwtauth.Option{jwtauth.WithAccessTokenProfile()}, own, "client:alice"},
		{"user named like a client", []jwtauth.Option{jwtauth.WithAccessTokenProfile()}, imitator, ""},
		{"own prefix", []jwtauth.Option{jwtauth.WithAccessTokenProfile(), jwtauth.WithClientPrefix("m2m/")}, own, "m2m/alice"},
		{"own prefix, other way round", []jwtauth.Option{jwtauth.WithClientPrefix("m2m/"), jwtauth.WithAccessTokenProfile()}, own, "m2m/alice"},
		{"refused", []jwtauth.Option{jwtauth.WithAccessTokenProfile(), jwtauth.WithoutClients()}, own, ""},
		{"user where clients are refused", []jwtauth.Option{jwtauth.WithAccessTokenProfile(), jwtauth.WithoutClients()}, users, "alice"},
		{"any JWT", []jwtauth.Option{jwtauth.WithClientPrefix("client:")}, own, "client:alice"},
		{"any JWT without client_id", []jwtauth.Option{jwtauth.WithClientPrefix("client:")}, goodClaims, "alice"},
		{"any JWT, nothing said", nil, own, "client:alice"},
		{"client_id of another type", []jwtauth.Option{jwtauth.WithClientPrefix("client:")}, with(`"client_id":["alice"]`), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVerifier(t, hmacSet(t, "", "HS256"), tc.opts...)
			p, err := v.VerifyToken(context.Background(), accessToken(t, `"at+jwt"`, tc.claims))
			switch {
			case tc.id == "" && err == nil:
				t.Errorf("passed as %q", p.ID())
			case tc.id != "" && (err != nil || p.ID() != tc.id):
				t.Errorf("principal %v, error %v, want %q", p, err, tc.id)
			}
		})
	}
}

// E01: the option may be narrower than the keys.
func TestAlgorithmsNarrowTheKeys(t *testing.T) {
	keys := set(t, verificationKey(t, "r", "RS256"), verificationKey(t, "e", "ES256"))
	v := newVerifier(t, keys, jwtauth.WithAlgorithms("ES256", "EdDSA"))
	wantReason(t, v, sign(t, "ES256", signers()["ES256"], headerOf("ES256", "e"), goodClaims), "")
	wantReason(t, v, sign(t, "RS256", signers()["RS256"], headerOf("RS256", "r"), goodClaims), core.ReasonBadAlgorithm)
}

func TestFurtherOptionsAreChecked(t *testing.T) {
	keys := hmacSet(t, "", "HS256")
	good := []jwtauth.Option{jwtauth.WithIssuer("i"), jwtauth.WithAudience("a")}
	for name, opts := range map[string][]jwtauth.Option{
		"no algorithm":            append(good, jwtauth.WithAlgorithms()),
		"algorithm none":          append(good, jwtauth.WithAlgorithms("none")),
		"empty prefix":            append(good, jwtauth.WithClientPrefix("")),
		"prefix with a break":     append(good, jwtauth.WithClientPrefix("a\n")),
		"ID prefix of clients":    append(good, jwtauth.WithIDPrefix("client:")),
		"ID prefix like clients'": append(good, jwtauth.WithIDPrefix("cli")),
		"no ID prefix":            append(good, jwtauth.WithIDPrefix("")),
		"two rules for clients":   append(good, jwtauth.WithClientPrefix("c:"), jwtauth.WithoutClients()),
		"profile, any issuer":     {jwtauth.WithoutIssuer(), jwtauth.WithAudience("a"), jwtauth.WithAccessTokenProfile()},
		"profile, any audience":   {jwtauth.WithIssuer("i"), jwtauth.WithoutAudience(), jwtauth.WithAccessTokenProfile()},
		"profile, without expiry": append(good, jwtauth.WithoutExpiry(), jwtauth.WithAccessTokenProfile()),
		"nil revocations":         append(good, jwtauth.WithRevocation(nil)),
		"nil list":                append(good, jwtauth.WithRevocation((*revoke.List)(nil))),
		"negative cache":          append(good, jwtauth.WithCacheSize(-1)),
		"huge cache":              append(good, jwtauth.WithCacheSize(1<<30)),
	} {
		if _, err := jwtauth.New(keys, opts...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
