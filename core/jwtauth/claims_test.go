package jwtauth_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// with returns goodClaims with further members, which replace those of the same name.
func with(members ...string) string {
	all := []string{`"iss":"https://issuer.example"`, `"aud":"reports"`, `"sub":"alice"`, `"exp":1800000060`}
	for _, m := range members {
		name, _, _ := strings.Cut(m, ":")
		for i, have := range all {
			if strings.HasPrefix(have, name+":") {
				all = append(all[:i], all[i+1:]...)
				break
			}
		}
		all = append(all, m)
	}
	return "{" + strings.Join(all, ",") + "}"
}

// without returns goodClaims without one member.
func without(name string) string {
	var kept []string
	for m := range strings.SplitSeq(strings.Trim(goodClaims, "{}"), ",") {
		if !strings.HasPrefix(m, `"`+name+`"`) {
			kept = append(kept, m)
		}
	}
	return "{" + strings.Join(kept, ",") + "}"
}

func TestClaimsAreAnObjectReadStrictly(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	for _, tc := range []struct {
		name, claims string
		reason       core.Reason
	}{
		{"good", goodClaims, ""},
		{"E28 null", `null`, core.ReasonMalformed},
		{"E28 array", `[]`, core.ReasonMalformed},
		{"E28 string", `"x"`, core.ReasonMalformed},
		{"E28 nothing", ``, core.ReasonMalformed},
		{"text after", goodClaims + `{"sub":"admin"}`, core.ReasonMalformed},
		{"E18 exp twice", `{"exp":1,` + goodClaims[1:], core.ReasonMalformed},
		{"E18 sub twice, one escaped", `{"s\u0075b":"admin",` + goodClaims[1:], core.ReasonMalformed},
		{"E18 twice in a nested object", with(`"x":{"a":1,"a":2}`), core.ReasonMalformed},
		{"E20 not UTF-8", with("\"sub\":\"a\xff\""), core.ReasonMalformed},
		{"E20 half a surrogate pair", with(`"sub":"\ud800"`), core.ReasonMalformed},
		{"nested too deeply", with(`"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), core.ReasonMalformed},
		{"B18 bound to a DPoP key", with(`"cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`), core.ReasonBadClaim},
		{"B18 bound to a certificate", with(`"cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}`), core.ReasonBadClaim},
		{"E19 SUB alone", `{"SUB":"admin",` + without("sub")[1:], core.ReasonBadClaim},
		{"E19 EXP alone", `{"EXP":1800000060,` + without("exp")[1:], core.ReasonBadClaim},
		{"E19 long s alone", `{"ſub":"admin",` + without("sub")[1:], core.ReasonBadClaim},
		{"E19 EXP beside exp", with(`"EXP":1`), ""},
	} {
		t.Run(tc.name, func(t *testing.T) { wantReason(t, v, hs256(t, tc.claims), tc.reason) })
	}
}

func TestIssuerIsComparedExactly(t *testing.T) { // B14
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	for _, tc := range []struct {
		iss    string
		reason core.Reason
	}{
		{`"https://issuer.example"`, ""},
		{`"https:\/\/issuer.example"`, ""},
		{`"https://issuer.example/"`, core.ReasonWrongIssuer},
		{`"https://issuer.example:443"`, core.ReasonWrongIssuer},
		{`"https://Issuer.example"`, core.ReasonWrongIssuer},
		{`"HTTPS://issuer.example"`, core.ReasonWrongIssuer},
		{`"http://issuer.example"`, core.ReasonWrongIssuer},
		{`""`, core.ReasonWrongIssuer},
		{`null`, core.ReasonWrongIssuer},
		{`["https://issuer.example"]`, core.ReasonBadClaim},
		{`7`, core.ReasonBadClaim},
	} {
		t.Run(tc.iss, func(t *testing.T) { wantReason(t, v, hs256(t, with(`"iss":`+tc.iss)), tc.reason) })
	}
	wantReason(t, v, hs256(t, without("iss")), core.ReasonWrongIssuer)
	any := must(jwtauth.New(hmacSet(t, "", "HS256"), jwtauth.WithoutIssuer(), jwtauth.WithAudience("reports"), jwtauth.WithClock(func() time.Time { return noon })))
	wantReason(t, any, hs256(t, without("iss")), "")
	wantReason(t, any, hs256(t, with(`"iss":"other"`)), "")
}

func TestAudience(t *testing.T) { // E13, B14
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithAudience("reports-v2"))
	for _, tc := range []struct {
		aud    string
		reason core.Reason
	}{
		{`"reports"`, ""},
		{`"reports-v2"`, ""},
		{`["reports"]`, ""},
		{`["other","reports"]`, ""},
		{`[]`, core.ReasonWrongAudience},
		{`["other"]`, core.ReasonWrongAudience},
		{`"Reports"`, core.ReasonWrongAudience},
		{`"reports "`, core.ReasonWrongAudience},
		{`"reports other"`, core.ReasonWrongAudience},
		{`""`, core.ReasonWrongAudience},
		{`null`, core.ReasonBadClaim},
		{`["reports",7]`, core.ReasonBadClaim},
		{`["reports",null]`, core.ReasonBadClaim},
		{`[["reports"]]`, core.ReasonBadClaim},
		{`{"reports":true}`, core.ReasonBadClaim},
		{`7`, core.ReasonBadClaim},
		{`true`, core.ReasonBadClaim},
	} {
		t.Run(tc.aud, func(t *testing.T) { wantReason(t, v, hs256(t, with(`"aud":`+tc.aud)), tc.reason) })
	}
	wantReason(t, v, hs256(t, without("aud")), core.ReasonWrongAudience)
	any := must(jwtauth.New(hmacSet(t, "", "HS256"), jwtauth.WithoutAudience(), jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithClock(func() time.Time { return noon })))
	wantReason(t, any, hs256(t, without("aud")), "")
}

func TestTimes(t *testing.T) { // E14, E15, E16
	const now = 1_800_000_000
	keys := hmacSet(t, "", "HS256")
	v := newVerifier(t, keys)
	for _, tc := range []struct {
		claim, value string
		reason       core.Reason
	}{
		{"exp", fmt.Sprint(now - 29), ""}, // inside the leeway of 30 s
		{"exp", fmt.Sprint(now - 30), core.ReasonExpired},
		{"exp", fmt.Sprint(now-30) + ".5", ""},
		{"exp", fmt.Sprint(now-31) + ".999", core.ReasonExpired},
		{"exp", "1.80000006e9", ""},
		{"exp", "1", core.ReasonExpired},
		{"exp", "0", core.ReasonBadClaim},
		{"exp", "-0", core.ReasonBadClaim},
		{"exp", "0.5", core.ReasonBadClaim},
		{"exp", "-1", core.ReasonBadClaim},
		{"exp", `"1800000060"`, core.ReasonBadClaim},
		{"exp", `"123"`, core.ReasonBadClaim},
		{"exp", "null", core.ReasonBadClaim},
		{"exp", "true", core.ReasonBadClaim},
		{"exp", "[]", core.ReasonBadClaim},
		{"exp", "[1800000060]", core.ReasonBadClaim},
		{"exp", "{}", core.ReasonBadClaim},
		{"exp", "1e19", core.ReasonBadClaim},
		{"exp", "1e300", core.ReasonBadClaim},
		{"exp", "1e400", core.ReasonBadClaim},
		{"exp", "9223372036854775807", core.ReasonBadClaim},
		{"exp", "18446744073709551616", core.ReasonBadClaim},
		{"exp", "1800000060000", core.ReasonBadClaim}, // milliseconds
		{"exp", "99999999999999", core.ReasonBadClaim},
		{"exp", "253402300799", core.ReasonBadClaim}, // the year 9999
		{"exp", fmt.Sprint(now + 3650*86400), ""},
		{"exp", fmt.Sprint(now + 3650*86400 + 1), core.ReasonBadClaim},
		{"nbf", "0", ""},
		{"nbf", fmt.Sprint(now + 30), ""},
		{"nbf", fmt.Sprint(now + 31), core.ReasonNotYetValid},
		{"iat", "0", ""},
		{"iat", fmt.Sprint(now) + ".25", ""},
		{"iat", fmt.Sprint(now + 30), ""},
		{"iat", fmt.Sprint(now+30) + ".5", core.ReasonNotYetValid},
		{"auth_time", "0", ""},
	} {
		t.Run(tc.claim+" "+tc.value, func(t *testing.T) {
			wantReason(t, v, hs256(t, with(`"`+tc.claim+`":`+tc.value)), tc.reason)
		})
	}
	for _, claim := range []string{"nbf", "iat", "auth_time"} {
		for _, value := range []string{"-1", "-0.5", `"123"`, "null", "true", "[]", "{}", "1e19", "1e300", "1e400", "9223372036854775807", "-9223372036854775809"} {
			t.Run(claim+" "+value, func(t *testing.T) {
				wantReason(t, v, hs256(t, with(`"`+claim+`":`+value)), core.ReasonBadClaim)
			})
		}
	}
}

func TestTimeOptions(t *testing.T) {
	const now = 1_800_000_000
	keys := hmacSet(t, "", "HS256")
	exp := func(at int64) string { return hs256(t, with(fmt.Sprintf(`"exp":%d`, at))) }
	t.Run("no leeway", func(t *testing.T) {
		v := newVerifier(t, keys, jwtauth.WithLeeway(0))
		wantReason(t, v, exp(now), core.ReasonExpired)
		wantReason(t, v, exp(now+1), "")
		wantReason(t, v, hs256(t, with(fmt.Sprintf(`"nbf":%d`, now))), "")
		wantReason(t, v, hs256(t, with(fmt.Sprintf(`"nbf":%d`, now+1))), core.ReasonNotYetValid)
	})
	t.Run("most leeway", func(t *testing.T) {
		v := newVerifier(t, keys, jwtauth.WithLeeway(5*time.Minute))
		wantReason(t, v, exp(now-299), "")
		wantReason(t, v, exp(now-300), core.ReasonExpired)
	})
	t.Run("lifetime", func(t *testing.T) {
		v := newVerifier(t, keys, jwtauth.WithMaxLifetime(time.Hour))
		wantReason(t, v, exp(now+3600), "")
		wantReason(t, v, exp(now+3601), core.ReasonBadClaim)
	})
	t.Run("longest lifetime does not wrap", func(t *testing.T) {
		v := newVerifier(t, keys, jwtauth.WithMaxLifetime(1<<63-1))
		wantReason(t, v, exp(253402300799), "")
		wantReason(t, v, exp(253402300800), core.ReasonBadClaim)
	})
	t.Run("E14 exp is required", func(t *testing.T) {
		wantReason(t, newVerifier(t, keys), hs256(t, without("exp")), core.ReasonBadClaim)
	})
	t.Run("exp switched off", func(t *testing.T) {
		v := newVerifier(t, keys, jwtauth.WithoutExpiry())
		wantReason(t, v, hs256(t, without("exp")), "")
		wantReason(t, v, exp(now-30), core.ReasonExpired)
		wantReason(t, v, hs256(t, with(`"exp":0`)), core.ReasonBadClaim)
	})
	t.Run("default clock", func(t *testing.T) {
		v, err := jwtauth.New(keys, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports"))
		if err != nil {
			t.Fatal(err)
		}
		wantReason(t, v, exp(time.Now().Add(time.Minute).Unix()), "")
		wantReason(t, v, exp(time.Now().Add(-time.Minute).Unix()), core.ReasonExpired)
	})
}

// E12: each issuer has its own verifier, and a key of one proves nothing to the other,
// whatever iss and kid are.
func TestIssuersDoNotShareKeys(t *testing.T) {
	verifier := func(iss, alg string) *jwtauth.Verifier {
		return must(jwtauth.New(set(t, verificationKey(t, "k", alg)), jwtauth.WithIssuer(iss), jwtauth.WithAudience("reports"),
			jwtauth.WithClock(func() time.Time { return noon })))
	}
	a, b := verifier("a", "HS256"), verifier("b", "ES256")
	byB := func(iss string) string {
		return sign(t, "ES256", signers()["ES256"], headerOf("ES256", "k"), with(`"iss":"`+iss+`"`))
	}
	wantReason(t, b, byB("b"), "")
	wantReason(t, b, byB("a"), core.ReasonWrongIssuer)
	wantReason(t, a, byB("a"), core.ReasonBadAlgorithm)
	wantReason(t, verifier("a", "ES384"), byB("a"), core.ReasonBadAlgorithm)
}

func TestVerifierIsSafeForConcurrentUse(t *testing.T) {
	v := newVerifier(t, set(t, verificationKey(t, "k", "ES256"), verificationKey(t, "p", "PS256")))
	tokens := []string{
		sign(t, "ES256", signers()["ES256"], headerOf("ES256", "k"), goodClaims),
		sign(t, "PS256", signers()["PS256"], headerOf("PS256", "p"), goodClaims),
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				wantReason(t, v, tokens[i%2], "")
				wantReason(t, v, tokens[i%2]+"AAAA", core.ReasonBadSignature)
			}
		})
	}
	wg.Wait()
}
