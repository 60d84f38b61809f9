package fiberauth_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/jwtauth/jwttest"
)

func TestTokens(t *testing.T) { jwttest.Run(t, framework()) }

func TestKeyServerOutage(t *testing.T) { jwttest.RunOutage(t, framework()) }
