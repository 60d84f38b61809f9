package main

import (
	"testing"

	"github.com/sallyport-go/sallyport/examples/internal/scenariotest"
)

func TestServer(t *testing.T) { scenariotest.Run(t, server) }
