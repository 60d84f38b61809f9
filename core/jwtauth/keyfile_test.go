package jwtauth_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// An edited set applies from the next token on; a broken edit does not apply.
func TestKeyFileFollowsItsEdits(t *testing.T) {
	f := jwtauth.NewKeyFile()
	v, err := jwtauth.New(f, jwtauth.WithoutIssuer(), jwtauth.WithoutAudience(), jwtauth.WithoutExpiry())
	if err != nil {
		t.Fatal(err)
	}
	set := func(kids ...string) []byte {
		var keys []string
		for _, kid := range kids {
			keys = append(keys, `{"kty":"oct","alg":"HS256","kid":"`+kid+`","k":"`+base64.RawURLEncoding.EncodeToString(secret)+`"}`)
		}
		return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`)
	}
	token := sign(t, "HS256", secret, `{"alg":"HS256","kid":"old"}`, `{"sub":"alice"}`)
	var down *core.UnavailableError
	if _, err := v.VerifyToken(t.Context(), token); !errors.As(err, &down) {
		t.Errorf("before a set is loaded: %v", err)
	}
	for _, tt := range []struct {
		text []byte
		ok   bool // the file
		good bool // the token
	}{
		{set("old"), true, true},
		{set("old", "new"), true, true},
		{[]byte(`{"keys":[]}`), false, true},
		{[]byte(`{"keys":`), false, true},
		{set("new"), true, false}, // although it was cached
		{set("old"), true, true},
	} {
		err := f.Load("keys.json", tt.text)
		if (err == nil) != tt.ok || err != nil && !strings.HasPrefix(err.Error(), "keys.json: ") {
			t.Errorf("%s: %v", tt.text, err)
		}
		if _, err := v.VerifyToken(t.Context(), token); (err == nil) != tt.good {
			t.Errorf("a token after %s: %v", tt.text, err)
		}
	}
	if err := jwtauth.NewKeyFile(jwtauth.WithRSAAlgorithm("ES256")).Load("keys.json", set("old")); err == nil {
		t.Error("an invalid option is accepted")
	}
}
