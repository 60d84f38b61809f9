package attemptstest_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/attempts/attemptstest"
	"github.com/sallyport-go/sallyport/core/authtest"
)

func TestGuessing(t *testing.T) { attemptstest.Run(t, authtest.NetHTTP()) }
