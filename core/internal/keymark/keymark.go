// Package keymark encodes attributes of keys for which JWK and PEM have no standard member:
// that a key is for development, when it expires, and its algorithm.
package keymark

import (
	"bytes"
	"strings"
)

// The private members of a JWK (RFC 7517 §4).
const (
	// Development is true in the JWK of a key whose tokens are accepted from callers on the
	// same machine only.
	Development = "sallyport_development"
	// Until is the NumericDate in a JWK from which on the key verifies nothing.
	Until = "sallyport_until"
)

// The names of the text lines before a PEM block.
const (
	Algorithm = "Algorithm"
	Use       = "Use"
)

// ForDevelopment is the value of [Use] in the PEM file of a development key.
const ForDevelopment = "development"

// InPEM returns the lines "Name: value" before the first PEM block of data, which PEM
// parsers ignore (RFC 7468 §2), and the rest.
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

// BeforePEM returns lines for [InPEM].
func BeforePEM(algorithm string, development bool) []byte {
	text := Algorithm + ": " + algorithm + "\n"
	if development {
		text += Use + ": " + ForDevelopment + "\n"
	}
	return []byte(text)
}
