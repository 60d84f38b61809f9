package dpoptest

import (
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/internal/prove"
)

var proofContentCases = []testCase{
	{"B20 each member of a proof decides", flipped},
	{"B20 a proof is by the key of the token", keys},
	{"B22 a proof sent many times at once is good once", onceAtOnce},
}

// flipped: RFC 9449 §4.3.
func flipped(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token, now := s.bound(), s.time.Load()
	const invalid, address, malformed = "The DPoP proof is not valid", "The DPoP proof was made for another address", "The DPoP proof is malformed"
	for _, c := range []struct {
		name        string
		change      func(prove.Proof)
		reason      core.Reason
		description string
	}{
		{"typ", func(p prove.Proof) { p.Header["typ"] = "JWT" }, core.ReasonMalformed, malformed},
		{"alg none", func(p prove.Proof) { p.Header["alg"] = "none" }, core.ReasonBadAlgorithm, "The DPoP proof was signed with an algorithm that is not accepted"},
		{"alg not accepted", func(p prove.Proof) { p.Header["alg"] = "ES384" }, core.ReasonBadAlgorithm, "The DPoP proof was signed with an algorithm that is not accepted"},
		{"private jwk", func(p prove.Proof) { p.Header["jwk"].(prove.Members)["d"] = "AQ" }, core.ReasonMalformed, malformed},
		{"no jwk", func(p prove.Proof) { delete(p.Header, "jwk") }, core.ReasonMalformed, malformed},
		{"another jwk", func(p prove.Proof) { p.Header["jwk"] = s.issuer.JWK() }, core.ReasonBadSignature, "The signature of the DPoP proof is not valid"},
		{"htm", func(p prove.Proof) { p.Claims["htm"] = "HEAD" }, core.ReasonBadClaim, "The DPoP proof was made for another method"},
		{"htu", func(p prove.Proof) { p.Claims["htu"] = "https://api.example/doors" }, core.ReasonBadClaim, address},
		{"htu with query", func(p prove.Proof) { p.Claims["htu"] = "https://api.example/door?a" }, core.ReasonBadClaim, address},
		{"no htu", func(p prove.Proof) { delete(p.Claims, "htu") }, core.ReasonBadClaim, address},
		{"iat too old", func(p prove.Proof) { p.Claims["iat"] = now - 91 }, core.ReasonExpired, "The DPoP proof is too old"},
		{"iat to come", func(p prove.Proof) { p.Claims["iat"] = now + 31 }, core.ReasonNotYetValid, "The DPoP proof was made in the future"},
		{"no iat", func(p prove.Proof) { delete(p.Claims, "iat") }, core.ReasonBadClaim, invalid},
		{"ath", func(p prove.Proof) { p.Claims["ath"] = prove.Hash("another") }, core.ReasonBadClaim, "The DPoP proof was made for another access token"},
		{"no ath", func(p prove.Proof) { delete(p.Claims, "ath") }, core.ReasonBadClaim, "The DPoP proof was made for another access token"},
		{"no jti", func(p prove.Proof) { delete(p.Claims, "jti") }, core.ReasonBadClaim, invalid},
	} {
		proof := s.proof(onDoor, token)
		c.change(proof)
		s.refuses(c.name, onDoor, badProof(c.reason, c.description), lines(token, s.client.Sign(t, proof))...)
	}
	s.admits("none changed", "GET", onDoor, "DPoP", s.sent(onDoor, token)...)
}

// keys: a token in the hands of somebody with another key.
func keys(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token, thief := s.bound(), prove.NewKey(t)
	const description = "The access token is bound to another key than that of the proof"
	stolen := lines(token, thief.Sign(t, thief.Proof("GET", address+onDoor, token, s.now())))
	s.refuses("a stolen token", onDoor, invalidToken("DPoP", dpop.ReasonWrongKey, description), stolen...)
	s.refuses("a stolen token of a guest", onGuest, invalidToken("DPoP", dpop.ReasonWrongKey, description), stolen...)
}

func onceAtOnce(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	request := authtest.Request("GET", onDoor, s.sent(onDoor, token)...)
	statuses := make([]int, 12)
	var wait sync.WaitGroup
	for i := range statuses {
		wait.Go(func() { statuses[i] = authtest.Send(t, s.addr, request).Status })
	}
	wait.Wait()
	passed := 0
	for _, status := range statuses {
		if status == 200 {
			passed++
		}
	}
	if passed != 1 || s.runs.Load() != 1 {
		t.Errorf("statuses %v, %d handlers ran", statuses, s.runs.Load())
	}
}
