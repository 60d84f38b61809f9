package fiberauth_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/dpoptest"
)

func TestDPoP(t *testing.T) { dpoptest.Run(t, framework()) }
