package authtest_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

func TestNetHTTP(t *testing.T) {
	authtest.Run(t, authtest.NetHTTP())
}

func FuzzPaths(f *testing.F) { authtest.FuzzPaths(f, authtest.NetHTTP()) }
