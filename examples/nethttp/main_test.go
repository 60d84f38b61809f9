package main

import (
	"testing"

	"github.com/sallyport-go/sallyport/examples/internal/scenariotest"
)

func TestVerdicts(t *testing.T) { scenariotest.Verdicts(t, server) }
