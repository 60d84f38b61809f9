package jwtauth_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// The claims of RFC 7515 appendix A: iss joe, exp 1300819380, no sub.
const rfcClaims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

const (
	rfcHMACKey = `{"kty":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`
	rfcRSAKey  = `{"kty":"RSA","alg":"RS256","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}`
	rfcECKey   = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	rfcEdKey   = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

	rfcHMACToken = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfcClaims + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcRSAToken  = "eyJhbGciOiJSUzI1NiJ9." + rfcClaims + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	rfcECToken   = "eyJhbGciOiJFUzI1NiJ9." + rfcClaims + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	rfcEdToken   = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)

func jwks(t testing.TB, keys ...string) *jwtauth.KeySet {
	t.Helper()
	s, err := jwtauth.KeySetFromJWKS("keys.json", []byte(`{"keys":[`+strings.Join(keys, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExamplesOfTheRFCs(t *testing.T) {
	const exp = 1300819380
	for _, tc := range []struct {
		name, key, token string
		now              int64
		reason           core.Reason
	}{
		// The signature is valid, so the claims decide: expired, and without sub.
		{"RFC 7515 A.1 HS256, expired", rfcHMACKey, rfcHMACToken, exp + 30, core.ReasonExpired},
		{"RFC 7515 A.1 HS256, in time", rfcHMACKey, rfcHMACToken, exp, core.ReasonBadClaim},
		{"RFC 7515 A.2 RS256, expired", rfcRSAKey, rfcRSAToken, exp + 30, core.ReasonExpired},
		{"RFC 7515 A.2 RS256, in time", rfcRSAKey, rfcRSAToken, exp, core.ReasonBadClaim},
		{"RFC 7515 A.3 ES256, expired", rfcECKey, rfcECToken, exp + 30, core.ReasonExpired},
		{"RFC 7515 A.3 ES256, in time", rfcECKey, rfcECToken, exp, core.ReasonBadClaim},
		// Its payload is plain text, which is reached only if the signature is valid.
		{"RFC 8037 A.4 Ed25519", rfcEdKey, rfcEdToken, exp, core.ReasonMalformed},
		{"RFC 7515 A.5 unsecured", rfcHMACKey, "eyJhbGciOiJub25lIn0." + rfcClaims + ".", exp, core.ReasonBadAlgorithm},
		{"RFC 7797 §4.2 as printed", rfcHMACKey, "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY", exp, core.ReasonMalformed},
		{"RFC 7797 §4.2 with its payload", rfcHMACKey, "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.$.02.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY", exp, core.ReasonMalformed},
		{"RFC 7797 §4.2 payload encoded", rfcHMACKey, "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.JC4wMg.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY", exp, core.ReasonMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := jwtauth.New(jwks(t, tc.key), jwtauth.WithIssuer("joe"), jwtauth.WithoutAudience(),
				jwtauth.WithClock(func() time.Time { return time.Unix(tc.now, 0) }))
			if err != nil {
				t.Fatal(err)
			}
			wantReason(t, v, tc.token, tc.reason)
		})
	}
}

func TestOneChangedBitIsABadSignature(t *testing.T) {
	for _, tc := range []struct{ name, key, token string }{
		{"HS256", rfcHMACKey, rfcHMACToken},
		{"RS256", rfcRSAKey, rfcRSAToken},
		{"ES256", rfcECKey, rfcECToken},
		{"EdDSA", rfcEdKey, rfcEdToken},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := jwtauth.New(jwks(t, tc.key), jwtauth.WithIssuer("joe"), jwtauth.WithoutAudience())
			if err != nil {
				t.Fatal(err)
			}
			i := strings.LastIndexByte(tc.token, '.') + 3 // inside the signature
			flipped := byte('A')
			if tc.token[i] == 'A' {
				flipped = 'B'
			}
			wantReason(t, v, tc.token[:i]+string(flipped)+tc.token[i+1:], core.ReasonBadSignature)
			head, rest, _ := strings.Cut(tc.token, ".")
			wantReason(t, v, head+".e30"+rest[strings.IndexByte(rest, '.'):], core.ReasonBadSignature)
		})
	}
}

// None of the published tokens has claims. The payload is not read before the signature
// is verified, so a refusal for it shows that the signature is valid.
func TestPublishedTokens(t *testing.T) {
	data, err := os.ReadFile("testdata/wycheproof.txt")
	if err != nil {
		t.Fatal(err)
	}
	var v *jwtauth.Verifier // nil when the key is refused
	count := map[string]int{}
	for n, line := range strings.Split(string(data), "\n") {
		kind, rest, found := strings.Cut(line, " ")
		switch {
		case !found || kind[0] == '#':
		case kind == "key":
			v = nil
			if keys, err := jwtauth.KeySetFromJWKS("keys.json", []byte(`{"keys":[`+rest+`]}`)); err == nil {
				v = newVerifier(t, keys)
			}
		default:
			var token string
			if err := json.Unmarshal([]byte(rest), &token); err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
			count[kind]++
			if v == nil {
				if kind == "valid" {
					t.Errorf("line %d: its key is refused", n+1)
				}
				continue
			}
			p, err := v.VerifyToken(t.Context(), token)
			var bad *core.CredentialError
			if p != nil || !errors.As(err, &bad) {
				t.Fatalf("line %d: principal %v, error %v", n+1, p, err)
			}
			if signed := strings.Contains(bad.Err.Error(), "claims: not an object"); signed != (kind == "valid") {
				t.Errorf("line %d: want %s, got %v", n+1, kind, err)
			}
		}
	}
	if count["valid"] < 30 || count["invalid"] < 100 {
		t.Errorf("only %v tokens", count)
	}
}
