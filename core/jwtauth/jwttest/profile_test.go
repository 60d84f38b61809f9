package jwttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

var profileCases = []testCase{
	{"B13 only access tokens pass where they are asked for", accessTokens},
	{"B13 what is no access token is refused where it can be told", otherTokens},
	{"B15 a client is no user", clientCredentials},
	{"B16 acr and auth_time reach the rules", authenticationFacts},
}

// accessTokens: RFC 9068 §2 and §4.
func accessTokens(t *testing.T, b bench) {
	s := b.serve(t, jwtauth.WithAccessTokenProfile())
	all := []string{`"client_id":"spa"`, `"jti":"j-1"`, fmt.Sprintf(`"iat":%d`, noon-5)}
	token := func(typ string, members ...string) string {
		head := fmt.Sprintf(`{"alg":"ES256","kid":%q%s}`, kid("ES256"), typ)
		return s.keys.token(t, "ES256", head, claims(append(all[:len(all):len(all)], members...)...))
	}
	for _, typ := range []string{`at+jwt`, `AT+JWT`, `application/at+jwt`, `Application/At+Jwt`} {
		s.try(onPublic, attempt{typ, token(`,"typ":"` + typ + `"`), ""})
	}
	for _, typ := range []string{`JWT`, `jwt`, `logout+jwt`, `dpop+jwt`, `vp+jwt`, `secevent+jwt`, `at+jws`, `at+jwt `, `at`, ``, `x/at+jwt`} {
		s.try(onPublic, attempt{typ, token(`,"typ":"` + typ + `"`), core.ReasonWrongType})
	}
	s.try(onPublic, attempt{"no typ", token(``), core.ReasonWrongType}, attempt{"typ 7", token(`,"typ":7`), core.ReasonMalformed})
	for _, name := range []string{"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} {
		reason := core.ReasonBadClaim
		switch name {
		case "iss":
			reason = core.ReasonWrongIssuer
		case "aud":
			reason = core.ReasonWrongAudience
		}
		s.try(onPublic, attempt{"no " + name, token(`,"typ":"at+jwt"`, fmt.Sprintf("%q", name)), reason})
	}
}

// otherTokens: RFC 8725 §3.11, OpenID Connect Core §2. The issuer has signed all of them
// for this audience.
func otherTokens(t *testing.T, b bench) {
	s := b.serve(t)
	for _, members := range []string{`"nonce":"n"`, `"at_hash":"h"`, `"c_hash":"h"`, `"typ":"ID"`, `"typ":"Refresh"`, `"token_use":"id"`} {
		s.try(onPublic, attempt{members, s.keys.good(t, "ES256", members), core.ReasonWrongType})
		s.try(onOptional, attempt{members, s.keys.good(t, "ES256", members), core.ReasonWrongType})
	}
	token := func(typ, members string) string {
		return s.keys.token(t, "ES256", fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":%q}`, kid("ES256"), typ), claims(members))
	}
	s.try(onPublic,
		attempt{"a logout token", token("logout+jwt", `"x":1`), core.ReasonWrongType},
		attempt{"an access token with a nonce", token("at+jwt", `"nonce":"n"`), ""},
		attempt{"an access token with a nonce, by its claim", s.keys.good(t, "ES256", `"nonce":"n"`, `"typ":"Bearer"`), ""})
	b.serve(t, jwtauth.WithNonce()).try(onPublic, attempt{"a nonce on purpose", s.keys.good(t, "ES256", `"nonce":"n"`), ""})
}

// clientCredentials: RFC 9700 §4.15, RFC 9068 §2.2. A client registered under a user's
// name.
func clientCredentials(t *testing.T, b bench) {
	member := fmt.Sprintf(`"client_id":%q`, subject)
	own := b.keys.good(t, "ES256", member)
	apart := b.serve(t)
	apart.last.Store(nil)
	apart.try(onPublic, attempt{"a user by a client", apart.keys.good(t, "ES256", `"client_id":"spa"`), ""},
		attempt{"a user with a client's name", apart.keys.good(t, "ES256", `"client_id":"spa"`, `"sub":"client:alice"`), core.ReasonBadClaim})
	apart.passesAs(onPublic, own, "client:"+subject)
	for _, name := range []string{"azp", "cid", "appid"} {
		apart.passesAs(onPublic, b.keys.good(t, "ES256", fmt.Sprintf("%q:%q", name, subject)), "client:"+subject)
	}
	b.serve(t, jwtauth.WithClientsAsUsers()).try(onPublic, attempt{"a client that is to be a user", own, ""})
	none := b.serve(t, jwtauth.WithoutClients())
	none.try(onPublic, attempt{"a client", own, core.ReasonBadClaim}, attempt{"a user", none.keys.good(t, "ES256", `"client_id":"spa"`), ""})
}

// authenticationFacts: RFC 9470 §6. A missing claim proves nothing.
func authenticationFacts(t *testing.T, b bench) {
	s := b.serve(t)
	for range 2 {
		s.try(onPublic, attempt{"both", s.keys.good(t, "ES256", `"acr":"phr"`, `"auth_time":1799999000`), ""})
		p := s.last.Load()
		if acr, _ := p.Claim("acr"); acr != "phr" || !p.AuthTime().Equal(time.Unix(1799999000, 0)) {
			t.Errorf("acr %v, authenticated at %v", acr, p.AuthTime())
		}
	}
	s.try(onPublic, attempt{"none", s.keys.good(t, "ES256"), ""})
	if acr, ok := s.last.Load().Claim("acr"); ok || !s.last.Load().AuthTime().IsZero() {
		t.Errorf("acr %v, authenticated at %v, without claims", acr, s.last.Load().AuthTime())
	}
	for _, member := range []string{`"auth_time":"1799999000"`, `"auth_time":-1`, `"auth_time":null`, `"auth_time":1e300`} {
		s.try(onPublic, attempt{member, s.keys.good(t, "ES256", member), core.ReasonBadClaim})
	}
}
