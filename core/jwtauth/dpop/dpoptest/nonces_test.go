package dpoptest

import (
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

var nonceCases = []testCase{
	{"B21 a nonce that is wanted is handed out once", nonceHanded},
	{"B21 the next nonce comes with a good answer", nonceRenewed},
	{"B21 without a nonce no proof is good again", nonceDowngrade},
}

var nonceKey = []byte("thirty-two bytes, known to tests")

// wanted is the refusal of a proof without a valid nonce.
var wanted = refusal{http.StatusUnauthorized, core.CodeUseNonce, core.ReasonStale, []string{
	bearerPlain, `DPoP realm="api", error="use_dpop_nonce", error_description="The DPoP proof needs the nonce of this response", algs="ES256 EdDSA"`,
}}

// withNonce returns the header lines of a token and a proof with a nonce.
func (s *service) withNonce(token string, nonce any) []string {
	s.t.Helper()
	proof := s.proof(onDoor, token)
	if nonce != nil {
		proof.Claims["nonce"] = nonce
	}
	return lines(token, s.client.Sign(s.t, proof))
}

// handed returns the nonce in an answer.
func (s *service) handed(a authtest.Answer) string {
	s.t.Helper()
	got := a.Header.Values("DPoP-Nonce")
	if len(got) != 1 || got[0] == "" {
		s.t.Fatalf("DPoP-Nonce %q, want exactly one", got)
	}
	return got[0]
}

// nonceHanded: RFC 9449 §8 and §9.
func nonceHanded(t *testing.T, f authtest.Framework) {
	s := serve(t, f, dpop.WithNonces(time.Minute, nonceKey))
	token := s.bound()
	nonce := s.handed(s.refuses("no nonce", onDoor, wanted, s.withNonce(token, nil)...))
	for range 2 {
		a := s.admits("its nonce", "GET", onDoor, "DPoP", s.withNonce(token, nonce)...)
		if got := a.Header.Values("DPoP-Nonce"); len(got) != 0 {
			t.Errorf("a fresh nonce is replaced by %q", got)
		}
	}
	for _, bad := range []string{"", "made-up", nonce + "A", nonce[:len(nonce)-1]} {
		s.handed(s.refuses("nonce "+bad, onDoor, wanted, s.withNonce(token, bad)...))
	}
	used := s.withNonce(token, nonce)
	s.admits("once", "GET", onDoor, "DPoP", used...)
	s.refuses("twice", onDoor, badProof(core.ReasonReplayed, "The DPoP proof was used before"), used...)
	a := s.refuses("another error", onDoor, badProof(dpop.ReasonMissingProof, "The request needs exactly one DPoP proof"), lines(token)...)
	if got := a.Header.Values("DPoP-Nonce"); len(got) != 0 {
		t.Errorf("nonce %q with another error", got)
	}
	s.admits("a free token needs none", "GET", onDoor, "Bearer", "Authorization: Bearer "+s.token("", nil))
}

// nonceRenewed: RFC 9449 §8.2.
func nonceRenewed(t *testing.T, f authtest.Framework) {
	s := serve(t, f, dpop.WithNonces(time.Minute, nonceKey))
	token := s.bound()
	nonce := s.handed(s.refuses("the first", onDoor, wanted, s.withNonce(token, nil)...))
	for range 5 { // an active client is never refused again
		s.time.Add(40)
		next := s.handed(s.admits("in the second half", "GET", onDoor, "DPoP", s.withNonce(token, nonce)...))
		if next == nonce {
			t.Error("the same nonce is issued again")
		}
		nonce = next
	}
}

// nonceDowngrade: RFC 9449 §11.3.
func nonceDowngrade(t *testing.T, f authtest.Framework) {
	s := serve(t, f, dpop.WithNonces(time.Minute, nonceKey))
	token := s.bound()
	nonce := s.handed(s.refuses("the first", onDoor, wanted, s.withNonce(token, nil)...))
	s.admits("with it", "GET", onDoor, "DPoP", s.withNonce(token, nonce)...)
	s.handed(s.refuses("without it", onDoor, wanted, s.withNonce(token, nil)...))
	s.time.Add(61)
	s.handed(s.refuses("too old", onDoor, wanted, s.withNonce(token, nonce)...))
}
