package dpoptest

import (
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/internal/prove"
)

var proofCases = []testCase{
	{"B19 exactly one proof", exactlyOne},
	{"B20 a proof is for one method", methods},
	{"B20 a proof is for one address, which Host does not name", addresses},
	{"B22 a proof is good once", once},
	{"B22 the gates of one guard judge a proof once", onceBehindGates},
	{"B20 each member of a proof decides", flipped},
	{"B20 a proof is by the key of the token", keys},
	{"B22 a proof sent many times at once is good once", onceAtOnce},
}

// exactlyOne: RFC 9449 §4.3, items 1 and 2.
func exactlyOne(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	one, two := s.client.Sign(t, s.proof(onDoor, token)), s.client.Sign(t, s.proof(onDoor, token))
	needed := badProof(dpop.ReasonMissingProof, "The request needs exactly one DPoP proof")
	s.refuses("none", onDoor, needed, lines(token)...)
	s.refuses("two", onDoor, needed, lines(token, one, two)...)
	s.refuses("the same twice", onDoor, needed, lines(token, one, one)...)
	s.refuses("two in another letter case", onGuest, needed, append(lines(token, one), "dpop: "+two)...)
	malformed := badProof(core.ReasonMalformed, "The DPoP proof is malformed")
	s.refuses("two in a field", onDoor, malformed, lines(token, one+", "+two)...)
	s.refuses("no JWT", onDoor, malformed, lines(token, "proof")...)
	s.admits("one", "GET", onDoor, "DPoP", lines(token, one)...)
}

// methods: a framework that answers HEAD like GET does not accept one's proof for the
// other.
func methods(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	for _, method := range []string{"GET", "HEAD", "POST"} {
		proof := s.client.Sign(t, s.client.Proof(method, address+onDoor, token, s.now()))
		for _, other := range []string{"GET", "HEAD", "POST"} {
			if other == method {
				continue
			}
			if a := authtest.Send(t, s.addr, authtest.Request(other, onDoor, lines(token, proof)...)); a.Status != 401 {
				t.Errorf("a proof for %s with %s: %d", method, other, a.Status)
			}
		}
		s.admits(method, method, onDoor, "DPoP", lines(token, proof)...)
	}
}

// addresses: RFC 3986 §6.2.2 and §6.2.3; the request's own host is ignored.
func addresses(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	for _, uri := range []string{"https://api.example/door", "HTTPS://API.EXAMPLE:443/door", "https://api.example/%64oor", "https://api.example/a/../door"} {
		proof := s.proof(onDoor, token)
		proof.Claims["htu"] = uri
		s.admits(uri, "GET", onDoor, "DPoP", lines(token, s.client.Sign(t, proof))...)
	}
	s.admits("a query in the request", "GET", onDoor+"?a=b", "DPoP", s.sent(onDoor, token)...)
	elsewhere := badProof(core.ReasonBadClaim, "The DPoP proof was made for another address")
	for _, uri := range []string{
		"https://app.example/door", "http://app.example/door", "http://api.example/door", "https://api.example:8443/door",
		"https://api.example/DOOR", "https://api.example/door/", "https://api.example/", "https://api.example", "/door",
	} {
		proof := s.proof(onDoor, token)
		proof.Claims["htu"] = uri
		s.refuses(uri, onDoor, elsewhere, lines(token, s.client.Sign(t, proof))...)
	}
	proof := s.proof(onDoor, token)
	proof.Claims["htu"] = "https://app.example/door" // as the request's own Host
	forwarded := append(lines(token, s.client.Sign(t, proof)), "X-Forwarded-Host: app.example", "X-Forwarded-Proto: https", "Forwarded: host=app.example;proto=https")
	s.refuses("forwarded", onDoor, elsewhere, forwarded...)
}

// once: RFC 9449 §11.1.
func once(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	proof := s.proof(onDoor, token)
	field := s.client.Sign(t, proof)
	again := badProof(core.ReasonReplayed, "The DPoP proof was used before")
	s.admits("the first time", "GET", onDoor, "DPoP", lines(token, field)...)
	s.refuses("the second time", onDoor, again, lines(token, field)...)
	s.refuses("signed anew", onDoor, again, lines(token, s.client.Sign(t, proof))...)
	s.time.Add(90)
	s.refuses("in the last second of its life", onDoor, again, lines(token, field)...)
	s.time.Add(1)
	s.refuses("after that", onDoor, badProof(core.ReasonExpired, "The DPoP proof is too old"), lines(token, field)...)
	s.admits("a new one", "GET", onDoor, "DPoP", s.sent(onDoor, token)...)
}

func onceBehindGates(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	sent := s.sent(onTwice, token)
	s.admits("three gates", "GET", onTwice, "DPoP", sent...)
	s.refuses("again", onTwice, badProof(core.ReasonReplayed, "The DPoP proof was used before"), sent...)
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

// keys: a token used by a client with another key.
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
