package fiberauth_test

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/attempts/attemptstest"
)

func TestGuessing(t *testing.T) { attemptstest.Run(t, framework()) }
