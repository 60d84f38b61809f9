package dpoptest

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

var nonceSemantics = []testCase{
	{"B21 the next nonce comes with a good answer", nonceRenewed},
}

// nonceRenewed: RFC 9449 §8.2.
func nonceRenewed(t *testing.T, f authtest.Framework) {
	s := serve(t, f, dpop.WithNonces(time.Minute, nonceKey))
	token := s.bound()
	nonce := s.handed(s.refuses("the first", onDoor, wanted, s.withNonce(token, nil)...))
	for range 5 { // a client that is never idle for long is never refused again
		s.time.Add(40)
		next := s.handed(s.admits("in the second half", "GET", onDoor, "DPoP", s.withNonce(token, nonce)...))
		if next == nonce {
			t.Error("the nonce is handed out again")
		}
		nonce = next
	}
}
