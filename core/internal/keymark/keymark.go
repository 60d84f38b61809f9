// Package keymark is how keys carry what JWK and PEM have no word for: that a
// key is for development, until when it is good, and its algorithm.
package keymark

import (
	"bytes"
	"strings"
)

// The private members of a JWK (RFC 7517 §4).
const (
	// Development is true in the JWK of a key whose tokens are for callers on
	// the same machine.
	Development = "sallyport_development"
	// Until is the NumericDate in the JWK of a key from which on it verifies
	// nothing.
	Until = "sallyport_until"
)

// The names of the lines of text before a PEM block.
const (
	Algorithm = "Algorithm"
	Use       = "Use"
)

// ForDevelopment is the value of [Use] in the PEM of a development key.
const ForDevelopment = "development"

// InPEM are the lines "Name: value" before the first PEM block of data, which
// readers of PEM pass over (RFC 7468 §2), and the rest.
func InPEM(data []byte) (lines map[string]string, block []byte) {
	before := bytes.Index(data, []byte("-----BEGIN "))
	if before < 0 {
		return nil, data
	}
	lines = map[string]string{}
	for line := range strings.Lines(string(data[:before])) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			lines[name] = strings.TrimSpace(value)
		}
	}
	return lines, data[before:]
}

// BeforePEM are the lines that [InPEM] reads.
func BeforePEM(algorithm string, development bool) []byte {
	text := Algorithm + ": " + algorithm + "\n"
	if development {
		text += Use + ": " + ForDevelopment + "\n"
	}
	return []byte(text)
}
