package jwtauth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func TestHeaderIsReadStrictly(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "k1", "HS256"))
	for _, tc := range []struct {
		name, header string
		reason       core.Reason
	}{
		{"plain", `{"alg":"HS256"}`, ""},
		{"with kid", `{"alg":"HS256","kid":"k1","typ":"JWT"}`, ""},
		{"space between members", "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", ""},
		{"E01 none", `{"alg":"none"}`, core.ReasonBadAlgorithm},
		{"E01 nOnE", `{"alg":"nOnE"}`, core.ReasonBadAlgorithm},
		{"E01 NONE", `{"alg":"NONE"}`, core.ReasonBadAlgorithm},
		{"E01 lower case", `{"alg":"hs256"}`, core.ReasonBadAlgorithm},
		{"E01 space after", `{"alg":"HS256 "}`, core.ReasonBadAlgorithm},
		{"E01 empty", `{"alg":""}`, core.ReasonBadAlgorithm},
		{"E01 another of the family", `{"alg":"HS384"}`, core.ReasonBadAlgorithm},
		{"E01 another of the family with kid", `{"alg":"HS512","kid":"k1"}`, core.ReasonBadAlgorithm},
		{"E01 asymmetric", `{"alg":"RS256"}`, core.ReasonBadAlgorithm},
		{"E22 encryption algorithm", `{"alg":"dir","enc":"A256GCM"}`, core.ReasonBadAlgorithm},
		{"alg missing", `{}`, core.ReasonMalformed},
		{"alg null", `{"alg":null}`, core.ReasonMalformed},
		{"alg array", `{"alg":["HS256"]}`, core.ReasonMalformed},
		{"E19 ALG", `{"ALG":"HS256"}`, core.ReasonMalformed},
		{"E19 ALG beside alg", `{"alg":"HS256","ALG":"none"}`, ""},
		{"E18 alg twice", `{"alg":"HS256","alg":"HS256"}`, core.ReasonMalformed},
		{"E18 alg twice, one escaped", `{"alg":"HS256","\u0061lg":"none"}`, core.ReasonMalformed},
		{"E18 twice in a nested object", `{"alg":"HS256","jwk":{"kty":"oct","kty":"RSA"}}`, core.ReasonMalformed},
		{"E06 unknown kid", `{"alg":"HS256","kid":"k2"}`, core.ReasonUnknownKey},
		{"E06 kid in other letter case", `{"alg":"HS256","kid":"K1"}`, core.ReasonUnknownKey},
		{"E06 kid as path", `{"alg":"HS256","kid":"../../dev/null"}`, core.ReasonUnknownKey},
		{"E06 kid number", `{"alg":"HS256","kid":1}`, core.ReasonMalformed},
		{"E06 kid null", `{"alg":"HS256","kid":null}`, core.ReasonMalformed},
		{"E06 kid array", `{"alg":"HS256","kid":["k1"]}`, core.ReasonMalformed},
		{"E06 kid empty", `{"alg":"HS256","kid":""}`, core.ReasonMalformed},
		{"E06 kid of 256 bytes", `{"alg":"HS256","kid":"` + strings.Repeat("k", 256) + `"}`, core.ReasonUnknownKey},
		{"E06 kid of 257 bytes", `{"alg":"HS256","kid":"` + strings.Repeat("k", 257) + `"}`, core.ReasonMalformed},
		{"E17 crit unknown", `{"alg":"HS256","crit":["exp"],"exp":1}`, core.ReasonMalformed},
		{"E17 crit empty", `{"alg":"HS256","crit":[]}`, core.ReasonMalformed},
		{"E17 crit no array", `{"alg":"HS256","crit":"exp"}`, core.ReasonMalformed},
		{"E17 crit null", `{"alg":"HS256","crit":null}`, core.ReasonMalformed},
		{"E17 crit names nothing there", `{"alg":"HS256","crit":["b64"]}`, core.ReasonMalformed},
		{"E17 b64 false", `{"alg":"HS256","b64":false}`, core.ReasonMalformed},
		{"E17 b64 false and crit", `{"alg":"HS256","b64":false,"crit":["b64"]}`, core.ReasonMalformed},
		{"typ number", `{"alg":"HS256","typ":1}`, core.ReasonMalformed},
		{"E20 not UTF-8", "{\"alg\":\"HS256\",\"x\":\"\xff\"}", core.ReasonMalformed},
		{"null", `null`, core.ReasonMalformed},
		{"array", `["HS256"]`, core.ReasonMalformed},
		{"text after", `{"alg":"HS256"}{}`, core.ReasonMalformed},
		{"100 values", `{"alg":"HS256","x":[` + strings.Repeat("0,", 97) + `{}]}`, ""},
		{"101 values", `{"alg":"HS256","x":[` + strings.Repeat("[],", 98) + `0]}`, core.ReasonMalformed},
		{"nested too deeply", `{"alg":"HS256","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, core.ReasonMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantReason(t, v, sign(t, "HS256", secret, tc.header, goodClaims), tc.reason)
		})
	}
}

// E01: none is refused with and without a signature, with any key.
func TestUnsecuredTokenIsRefused(t *testing.T) {
	for _, alg := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
		v := newVerifier(t, set(t, verificationKey(t, "", alg)))
		for _, none := range []string{"none", "None", "NONE", "nOnE"} {
			signed := part(`{"alg":"`+none+`"}`) + "." + part(goodClaims)
			wantReason(t, v, signed+".", core.ReasonBadAlgorithm)
			wantReason(t, v, signParts(t, "HS256", secret, signed), core.ReasonBadAlgorithm)
		}
	}
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	wantReason(t, v, part(`{"alg":"HS256"}`)+"."+part(goodClaims)+".", core.ReasonBadSignature)
}

// E04, E05: keys and addresses in a token are never used or fetched.
func TestKeysInsideTheTokenAreIgnored(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	attacker := []byte(strings.Repeat("attacker", 8))
	inside := `"jwk":{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString(attacker) + `"},` +
		`"jku":"` + server.URL + `/jwks","x5u":"` + server.URL + `/cert","x5c":["AAAA"],"x5t":"AAAA"`
	v := newVerifier(t, hmacSet(t, "k1", "HS256"))
	wantReason(t, v, sign(t, "HS256", attacker, `{"alg":"HS256",`+inside+`}`, goodClaims), core.ReasonBadSignature)
	wantReason(t, v, sign(t, "HS256", attacker, `{"alg":"HS256","kid":"k1",`+inside+`}`, goodClaims), core.ReasonBadSignature)
	wantReason(t, v, sign(t, "HS256", attacker, `{"alg":"HS256","kid":"`+server.URL+`",`+inside+`}`, goodClaims), core.ReasonUnknownKey)
	wantReason(t, v, sign(t, "HS256", secret, `{"alg":"HS256",`+inside+`}`, goodClaims), "")
	if n := asked.Load(); n != 0 {
		t.Errorf("%d outbound requests", n)
	}
}

func TestTokenHasOneSpelling(t *testing.T) { // E20
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	token := hs256(t, goodClaims)
	p := strings.Split(token, ".")
	// The last character of 32 bytes in base64url has two unused bits.
	last := p[2][len(p[2])-1]
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	stray := alphabet[strings.IndexByte(alphabet, last)+1]
	wantReason(t, v, token, "")
	for _, tc := range []struct{ name, token string }{
		{"empty", ""},
		{"one part", p[0]},
		{"two parts", p[0] + "." + p[1]},
		{"four parts", token + "."},
		{"E22 five parts", token + ".a.b"},
		{"only dots", ".."},
		{"no header", "." + p[1] + "." + p[2]},
		{"leading dot", "." + token},
		{"padding", token + "="},
		{"padded header", p[0] + "==." + p[1] + "." + p[2]},
		{"space before", " " + token},
		{"space after", token + " "},
		{"line feed after", token + "\n"},
		{"CR LF in the signature", p[0] + "." + p[1] + "." + p[2][:9] + "\r\n" + p[2][9:]},
		{"line feed in the header", p[0][:4] + "\n" + p[0][4:] + "." + p[1] + "." + p[2]},
		{"stray bits in the signature", token[:len(token)-1] + string(stray)},
		{"standard alphabet", p[0] + "." + p[1] + ".+/" + p[2][2:]},
		{"JSON serialization", `{"payload":"` + p[1] + `","protected":"` + p[0] + `","signature":"` + p[2] + `"}`},
		{"scheme in front", "Bearer " + token},
		{"outside ASCII", "ä" + token},
		{"NUL after", token + "\x00"},
		{"length of 1 mod 4", p[0] + "." + p[1] + "." + p[2] + "AA"},
	} {
		t.Run(tc.name, func(t *testing.T) { wantReason(t, v, tc.token, core.ReasonMalformed) })
	}
}

// E20: the payload's encoding is strict too, although it is signed as sent.
func TestPayloadSpellingIsStrict(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	claims := goodClaims
	for len(claims)%3 != 1 {
		claims += " "
	}
	good := part(claims)
	for _, tc := range []struct{ name, payload string }{
		{"padding", good + "=="},
		{"line feed", good + "\n"},
		{"CR LF inside", good[:8] + "\r\n" + good[8:]},
		{"stray bits", good[:len(good)-1] + "h"}, // a space ends in the bits of "g"
		{"empty", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantReason(t, v, signParts(t, "HS256", secret, part(`{"alg":"HS256"}`)+"."+tc.payload), core.ReasonMalformed)
		})
	}
	signed := signParts(t, "HS256", secret, part(`{"alg":"HS256"}`)+"."+good)
	wantReason(t, v, signed, "")
	for _, foreign := range []string{"%", " ", "\n", "é"} { // before any key is looked up
		wantReason(t, v, signed+foreign, core.ReasonMalformed)
		wantReason(t, v, signed[:len(signed)/2]+foreign+signed[len(signed)/2:], core.ReasonMalformed)
	}
}

func TestSizeIsCappedBeforeDecoding(t *testing.T) { // E21
	fill := func(size int) string {
		claims := strings.Replace(goodClaims, "{", `{"fill":"`+strings.Repeat("x", size)+`",`, 1)
		return hs256(t, claims)
	}
	token := fill(12000)
	keys := hmacSet(t, "", "HS256")
	wantReason(t, newVerifier(t, keys), token, "")
	wantReason(t, newVerifier(t, keys), fill(13000), core.ReasonMalformed)
	wantReason(t, newVerifier(t, keys, jwtauth.WithMaxTokenSize(len(token))), token, "")
	wantReason(t, newVerifier(t, keys, jwtauth.WithMaxTokenSize(len(token)-1)), token, core.ReasonMalformed)

	v := newVerifier(t, keys)
	for name, hostile := range map[string]string{
		"megabytes":      strings.Repeat("A", 3<<20),
		"a million dots": strings.Repeat(".", 1<<20),
	} {
		wantReason(t, v, hostile, core.ReasonMalformed)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = v.VerifyToken(context.Background(), hostile)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

// source is a key source with fixed answers.
type source struct {
	keys []*jwtauth.Key
	err  error
}

func (s source) Keys(context.Context, string) ([]*jwtauth.Key, error) { return s.keys, s.err }

func TestKeySourceFailureIsAnOutage(t *testing.T) { // E10
	down := &core.UnavailableError{Err: errors.New("key server is down")}
	p, err := newVerifier(t, source{err: down}).VerifyToken(context.Background(), hs256(t, goodClaims))
	var bad *core.CredentialError
	if p != nil || errors.As(err, &bad) || !errors.Is(err, down) {
		t.Errorf("principal %v, error %v", p, err)
	}
}

func TestVerifierChecksKeysOfASource(t *testing.T) {
	k1, err := jwtauth.HMACKey("k1", "HS256", secret)
	if err != nil {
		t.Fatal(err)
	}
	named := sign(t, "HS256", secret, `{"alg":"HS256","kid":"k2"}`, goodClaims)
	plain := hs256(t, goodClaims)
	for _, tc := range []struct {
		name   string
		keys   []*jwtauth.Key
		token  string
		reason core.Reason
	}{
		{"no key", nil, plain, core.ReasonUnknownKey},
		{"nil key", []*jwtauth.Key{nil}, plain, core.ReasonUnknownKey},
		{"zero key", []*jwtauth.Key{{}}, plain, core.ReasonBadAlgorithm},
		{"key of another kid", []*jwtauth.Key{k1}, named, core.ReasonUnknownKey},
		{"E07 two keys fit", []*jwtauth.Key{k1, k1}, plain, core.ReasonUnknownKey},
		{"the only one", []*jwtauth.Key{nil, k1}, plain, ""},
	} {
		t.Run(tc.name, func(t *testing.T) { wantReason(t, newVerifier(t, source{keys: tc.keys}), tc.token, tc.reason) })
	}
}

// Descriptions are constant and contain nothing from the token or the library.
func TestDescriptions(t *testing.T) { // B09
	v := newVerifier(t, hmacSet(t, "k1", "HS256"))
	for want, token := range map[string]string{
		"The access token expired":                                           hs256(t, strings.Replace(goodClaims, "1800000060", "1", 1)),
		"The access token is not valid yet":                                  hs256(t, strings.Replace(goodClaims, "}", `,"nbf":1800000050}`, 1)),
		"The signature of the access token is not valid":                     hs256(t, goodClaims) + "AAAA",
		"The access token was signed with an unknown key":                    sign(t, "HS256", secret, headerOf("HS256", "k2"), goodClaims),
		"The access token was signed with an algorithm that is not accepted": sign(t, "HS384", secret, headerOf("HS384", "k1"), goodClaims),
		"The access token comes from an issuer that is not accepted":         hs256(t, strings.Replace(goodClaims, "issuer.", "other.", 1)),
		"The access token was issued for another audience":                   hs256(t, strings.Replace(goodClaims, `"reports"`, `"other"`, 1)),
		"The access token lacks a claim or holds one that is not valid":      hs256(t, strings.Replace(goodClaims, `"alice"`, `7`, 1)),
		"The access token is malformed":                                      "x",
	} {
		_, err := v.VerifyToken(context.Background(), token)
		var bad *core.CredentialError
		if !errors.As(err, &bad) || bad.Description != want {
			t.Errorf("description %+v, want %q", err, want)
		}
	}
}

func TestNewRefusesInvalidConfigurations(t *testing.T) {
	keys := hmacSet(t, "", "HS256")
	iss, aud := jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports")
	for _, tc := range []struct {
		name string
		keys jwtauth.KeySource
		opts []jwtauth.Option
		want string
	}{
		{"nil keys", nil, []jwtauth.Option{iss, aud}, "key source is nil"},
		{"nil key set", (*jwtauth.KeySet)(nil), []jwtauth.Option{iss, aud}, "key source is nil"},
		{"nil option", keys, []jwtauth.Option{iss, nil}, "option 2 is nil"},
		{"no issuer", keys, []jwtauth.Option{aud}, "no issuer"},
		{"no audience", keys, []jwtauth.Option{iss}, "no audience"},
		{"empty issuer", keys, []jwtauth.Option{jwtauth.WithIssuer(""), aud}, "issuer is empty"},
		{"two issuers", keys, []jwtauth.Option{iss, iss, aud}, "a verifier for each issuer"},
		{"issuer with a line break", keys, []jwtauth.Option{jwtauth.WithIssuer("https://issuer.example\n"), aud}, "begins or ends with white space"},
		{"audience with a blank", keys, []jwtauth.Option{iss, jwtauth.WithAudience("reports", " users")}, "audience \" users\" begins or ends with white space"},
		{"empty audience", keys, []jwtauth.Option{iss, jwtauth.WithAudience("")}, "audience is empty"},
		{"audience of none", keys, []jwtauth.Option{iss, jwtauth.WithAudience()}, "audience is empty"},
		{"issuer and any", keys, []jwtauth.Option{iss, aud, jwtauth.WithoutIssuer()}, "choose one"},
		{"audience and any", keys, []jwtauth.Option{iss, aud, jwtauth.WithoutAudience()}, "choose one"},
		{"negative leeway", keys, []jwtauth.Option{iss, aud, jwtauth.WithLeeway(-1)}, "leeway -1ns"},
		{"leeway over 5 minutes", keys, []jwtauth.Option{iss, aud, jwtauth.WithLeeway(5*60e9 + 1)}, "from 0 to 5m0s"},
		{"no room for a token", keys, []jwtauth.Option{iss, aud, jwtauth.WithMaxTokenSize(0)}, "at least 1 byte"},
		{"no lifetime", keys, []jwtauth.Option{iss, aud, jwtauth.WithMaxLifetime(0)}, "above 0"},
		{"nil clock", keys, []jwtauth.Option{iss, aud, jwtauth.WithClock(nil)}, "clock is nil"},
		{"empty roles claim", keys, []jwtauth.Option{iss, aud, jwtauth.WithRoles("")}, "claim name"},
		{"dotted claim with a gap", keys, []jwtauth.Option{iss, aud, jwtauth.WithTenant("a..b")}, "claim name"},
		{"scopes claim ends in a dot", keys, []jwtauth.Option{iss, aud, jwtauth.WithScopes("a.")}, "claim name"},
		{"scope array begins with a dot", keys, []jwtauth.Option{iss, aud, jwtauth.WithScopes(".a")}, "claim name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := jwtauth.New(tc.keys, tc.opts...)
			if err == nil || v != nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q in it", err, tc.want)
			}
		})
	}
}
