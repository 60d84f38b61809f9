package dpoptest

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

var nonceTimeCases = []testCase{
	{"B21 without a nonce no proof is good again", nonceDowngrade},
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
