package dpoptest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

var proofSemantics = []testCase{
	{"B20 a proof is for one address, which Host does not name", addresses},
	{"B22 a proof is good once", once},
	{"B22 the gates of one guard judge a proof once", onceBehindGates},
}

// addresses: RFC 3986 §6.2.2 and §6.2.3; what the request says of its host is
// not looked at.
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
