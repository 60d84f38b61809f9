package jwttest

import (
	"fmt"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var claimCases = []testCase{
	{"B14 an issuer is compared exactly", exactIssuer},
	{"E13 B14 the audience", theAudience},
	{"E14 exp is required and final", expiry},
	{"E15 dates are dates", dates},
	{"E16 not before its time", future},
	{"E28 claims are an object and name somebody", somebody},
}

// value is a JSON text for one claim and the expected reason for refusing it.
type value struct {
	text   string
	reason core.Reason
}

// tryClaim tries a token for each value of a claim, and one without it.
func tryClaim(s *service, claim string, without core.Reason, values ...value) {
	s.t.Helper()
	for _, v := range values {
		member := fmt.Sprintf("%q:%s", claim, v.text)
		s.try(onPublic, attempt{member, s.keys.good(s.t, "ES256", member), v.reason})
	}
	s.try(onPublic, attempt{"no " + claim, s.keys.good(s.t, "ES256", fmt.Sprintf("%q", claim)), without})
}

// exactIssuer: RFC 9068 §4.
func exactIssuer(t *testing.T, b bench) {
	tryClaim(b.serve(t), "iss", core.ReasonWrongIssuer,
		value{`"https://issuer.example/realm"`, ""},
		value{`"https:\/\/issuer.example\/realm"`, ""}, // the same string
		value{`"https://issuer.example/realm/"`, core.ReasonWrongIssuer},
		value{`"https://issuer.example//realm"`, core.ReasonWrongIssuer},
		value{`"https://issuer.example:443/realm"`, core.ReasonWrongIssuer},
		value{`"https://Issuer.example/realm"`, core.ReasonWrongIssuer},
		value{`"HTTPS://issuer.example/realm"`, core.ReasonWrongIssuer},
		value{`"https://issuer.example/Realm"`, core.ReasonWrongIssuer},
		value{`"https://issuer.example/r%65alm"`, core.ReasonWrongIssuer},
		value{`"http://issuer.example/realm"`, core.ReasonWrongIssuer},
		value{`"https://issuer.example"`, core.ReasonWrongIssuer},
		value{`" https://issuer.example/realm"`, core.ReasonWrongIssuer},
		value{`"https://issuer.example/realm.evil"`, core.ReasonWrongIssuer},
		value{`""`, core.ReasonWrongIssuer},
		value{`["https://issuer.example/realm"]`, core.ReasonBadClaim},
		value{`7`, core.ReasonBadClaim},
		value{`true`, core.ReasonBadClaim},
		value{`{}`, core.ReasonBadClaim})
}

// theAudience: RFC 7519 §4.1.3, RFC 8725 §3.9.
func theAudience(t *testing.T, b bench) {
	tryClaim(b.serve(t), "aud", core.ReasonWrongAudience,
		value{`"reports"`, ""},
		value{`["reports"]`, ""},
		value{`["other","reports"]`, ""},
		value{`[]`, core.ReasonWrongAudience},
		value{`[""]`, core.ReasonWrongAudience},
		value{`""`, core.ReasonWrongAudience},
		value{`"other"`, core.ReasonWrongAudience},
		value{`["other","Reports"]`, core.ReasonWrongAudience},
		value{`"Reports"`, core.ReasonWrongAudience},
		value{`"REPORTS"`, core.ReasonWrongAudience},
		value{`"reports "`, core.ReasonWrongAudience},
		value{`"reports/"`, core.ReasonWrongAudience},
		value{`"reports other"`, core.ReasonWrongAudience},
		value{`"report"`, core.ReasonWrongAudience},
		value{`"*"`, core.ReasonWrongAudience},
		value{`7`, core.ReasonBadClaim},
		value{`true`, core.ReasonBadClaim},
		value{`{"reports":true}`, core.ReasonBadClaim},
		value{`["reports",7]`, core.ReasonBadClaim},
		value{`[7,"reports"]`, core.ReasonBadClaim},
		value{`["reports",null]`, core.ReasonBadClaim},
		value{`[["reports"]]`, core.ReasonBadClaim})
}

// expiry: RFC 7519 §4.1.4, with the leeway of 30 s.
func expiry(t *testing.T, b bench) {
	tryClaim(b.serve(t), "exp", core.ReasonBadClaim,
		value{fmt.Sprint(noon + 1), ""},
		value{fmt.Sprint(noon), ""},
		value{fmt.Sprint(noon - 29), ""},
		value{fmt.Sprint(noon-30) + ".5", ""},
		value{fmt.Sprint(noon - 30), core.ReasonExpired},
		value{fmt.Sprint(noon-31) + ".999", core.ReasonExpired},
		value{fmt.Sprint(noon - 3600), core.ReasonExpired},
		value{`1`, core.ReasonExpired})
}

// dates: RFC 7519 §2. None of these overflows into a valid date or counts as missing.
func dates(t *testing.T, b bench) {
	s := b.serve(t)
	for _, claim := range []string{"exp", "nbf", "iat"} {
		for _, text := range []string{
			`-1`, `-0.5`, `"123"`, `"1800000060"`, `null`, `true`, `[]`, `[1800000060]`, `{}`, `1e19`, `1e300`, `1e400`, `-1e300`,
			`9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `18446744073709551616`, `""`,
		} {
			member := fmt.Sprintf("%q:%s", claim, text)
			s.try(onPublic, attempt{member, s.keys.good(t, "ES256", member), core.ReasonBadClaim})
		}
	}
	for _, v := range []value{
		{`"exp":0`, core.ReasonBadClaim},
		{`"exp":-0`, core.ReasonBadClaim},
		{`"exp":0.9`, core.ReasonBadClaim},
		{`"exp":1800000060000`, core.ReasonBadClaim}, // milliseconds
		{`"exp":253402300799`, core.ReasonBadClaim},  // the year 9999
		{`"exp":1800000060.75`, ""},
		{`"exp":1.80000006e9`, ""},
		{`"nbf":0`, ""},
		{`"iat":0`, ""},
		{`"nbf":1799999999.5`, ""},
		{`"iat":1799999999.5`, ""},
	} {
		s.try(onPublic, attempt{v.text, s.keys.good(t, "ES256", v.text), v.reason})
	}
}

// future: RFC 7519 §4.1.5 and §4.1.6, with the leeway of 30 s.
func future(t *testing.T, b bench) {
	s := b.serve(t)
	for _, claim := range []string{"nbf", "iat"} {
		tryClaim(s, claim, "",
			value{fmt.Sprint(noon - 1), ""},
			value{fmt.Sprint(noon), ""},
			value{fmt.Sprint(noon + 30), ""},
			value{fmt.Sprint(noon+30) + ".5", core.ReasonNotYetValid},
			value{fmt.Sprint(noon + 31), core.ReasonNotYetValid},
			value{fmt.Sprint(noon + 3600), core.ReasonNotYetValid},
			value{`253402300799`, core.ReasonNotYetValid})
	}
}

// somebody: RFC 7519 §7.2. An empty sub would match empty fields in policies.
func somebody(t *testing.T, b bench) {
	s := b.serve(t)
	for _, text := range []string{`null`, `[]`, `[` + claims() + `]`, `"x"`, `7`, `true`, ``, ` `, `{`, claims() + `,`} {
		s.try(onPublic, attempt{fmt.Sprintf("claims %q", text), s.keys.token(t, "ES256", header("ES256"), text), core.ReasonMalformed})
	}
	for _, text := range []string{`null`, `[]`, `"x"`, `7`, ``} {
		s.try(onPublic, attempt{fmt.Sprintf("header %q", text), s.keys.token(t, "ES256", text, claims()), core.ReasonMalformed})
	}
	tryClaim(s, "sub", core.ReasonBadClaim,
		value{`"alice"`, ""},
		value{`"al\u0069ce"`, ""}, // the same string
		value{`""`, core.ReasonBadClaim},
		value{`7`, core.ReasonBadClaim},
		value{`null`, core.ReasonBadClaim},
		value{`true`, core.ReasonBadClaim},
		value{`["alice"]`, core.ReasonBadClaim},
		value{`{"alice":1}`, core.ReasonBadClaim},
		value{`"alice\n"`, core.ReasonBadClaim},
		value{`"\u0000"`, core.ReasonBadClaim})
	s.try(onPublic, attempt{"no claims at all", s.keys.token(t, "ES256", header("ES256"), `{}`), core.ReasonWrongIssuer})
}
