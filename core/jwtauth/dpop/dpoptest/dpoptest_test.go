package dpoptest_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/dpoptest"
)

func TestNetHTTP(t *testing.T) { dpoptest.Run(t, authtest.NetHTTP()) }
