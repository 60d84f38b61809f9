package jwttest_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/jwttest"
)

func TestTokens(t *testing.T) { jwttest.Run(t, authtest.NetHTTP()) }

func TestKeyServerOutage(t *testing.T) { jwttest.RunOutage(t, authtest.NetHTTP()) }
