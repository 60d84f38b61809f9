package fiberauth_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/session/sessiontest"
)

func TestSessions(t *testing.T) { sessiontest.Run(t, framework()) }
