package dpoptest

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

var schemeCases = []testCase{
	{"B21 no credentials, no error code", plain},
	{"B23 Bearer and DPoP together", together},
}

// plain: RFC 9449 §7.2, figure 17.
func plain(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	want := refusal{http.StatusUnauthorized, core.CodeAuthenticationRequired, core.ReasonNoCredentials, []string{bearerPlain, dpopPlain}}
	a := s.refuses("nothing", onDoor, want)
	if got := a.Header.Values("DPoP-Nonce"); len(got) != 0 {
		t.Errorf("nonces %q that nobody asked for", got)
	}
	s.refuses("a proof alone", onDoor, want, "DPoP: "+s.client.Sign(t, s.proof(onDoor, "x")))
	s.refuses("another scheme", onDoor, want, "Authorization: Basic YTpi")
}

// together: RFC 9449 §7.2, figure 19.
func together(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	want := refusal{http.StatusBadRequest, core.CodeInvalidRequest, core.ReasonAmbiguous, []string{
		`Bearer realm="api", error="invalid_request"`, `DPoP realm="api", error="invalid_request", algs="ES256 EdDSA"`,
	}}
	good := s.sent(onDoor, token)
	s.refuses("Bearer and DPoP", onDoor, want, append([]string{"Authorization: Bearer " + token}, good...)...)
	s.refuses("DPoP and Bearer", onDoor, want, append(good, "Authorization: Bearer "+token)...)
	s.refuses("DPoP twice", onGuest, want, append(good, good[0])...)
	s.admits("one of them", "GET", onDoor, "DPoP", good...) // and its proof was not used up
}
