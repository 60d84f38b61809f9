package dpoptest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

var proofCases = []testCase{
	{"B19 exactly one proof", exactlyOne},
	{"B20 a proof is for one method", methods},
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

// methods: a framework that answers HEAD like GET does not take the one proof
// for the other.
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
