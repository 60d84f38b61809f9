package jwtauth

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/jws"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
)

// maxKeyID is the maximum length of a kid in bytes, in tokens and in key sets.
const maxKeyID = 256

// maxHeaderValues is the maximum number of values in a JOSE header, which anybody can make
// without a key. With a key and a chain of certificates it has about 20.
const maxHeaderValues = 100

// header holds the parameters of a JOSE header that matter here (RFC 7515 §4.1).
type header struct {
	alg *jws.Algorithm
	kid string // "" when the header has none
	typ string // "" when the header has none
}

// parseHeader parses the first part of a token.
func parseHeader(part string) (header, error) {
	m, err := decodeHeader(part)
	if err != nil {
		return header{}, err
	}
	return headerOf(m)
}

// decodeHeader decodes the first part of a token or proof.
func decodeHeader(part string) (map[string]any, error) {
	m, err := decodeUpTo(part, maxHeaderValues)
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "header: %w", err)
	}
	return m, nil
}

// headerOf refuses all critical extensions (crit, RFC 7515 §4.1.11) and unencoded
// payloads (b64, RFC 7797 §7), since it supports none.
func headerOf(m map[string]any) (header, error) {
	for _, name := range [...]string{"crit", "b64"} {
		if _, ok := m[name]; ok {
			return header{}, refuse(core.ReasonMalformed, "header: %s is not supported", name)
		}
	}
	var h header
	if typ, ok := m["typ"]; ok {
		if h.typ, ok = typ.(string); !ok {
			return header{}, refuse(core.ReasonMalformed, "header: typ is not a string")
		}
	}
	if kid, ok := m["kid"]; ok {
		if h.kid, ok = kid.(string); !ok || h.kid == "" || len(h.kid) > maxKeyID {
			return header{}, refuse(core.ReasonMalformed, "header: kid is not a string of 1 to %d bytes", maxKeyID)
		}
	}
	alg, ok := m["alg"].(string)
	if !ok {
		return header{}, refuse(core.ReasonMalformed, "header: alg is missing or not a string")
	}
	if h.alg = jws.Lookup(alg); h.alg == nil {
		return header{}, refuse(core.ReasonBadAlgorithm, "header: algorithm %.32q is not supported", alg)
	}
	return h, nil
}

// strictBase64 refuses padding and stray bits in the last character, so that bytes
// have a single encoding.
var strictBase64 = base64.RawURLEncoding.Strict()

var errLineBreak = errors.New("line break in base64url")

// decodePart decodes base64url without padding (RFC 7515 §2).
func decodePart(s string) ([]byte, error) { return appendPart(nil, s) }

// appendPart decodes as decodePart does, and appends to dst.
func appendPart(dst []byte, s string) ([]byte, error) {
	if strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0 {
		return nil, errLineBreak // encoding/base64 would skip it
	}
	return strictBase64.AppendDecode(dst, []byte(s))
}

// decodeObject decodes a part that is a JSON object.
func decodeObject(part string) (map[string]any, error) { return decodeUpTo(part, math.MaxInt) }

// decodeUpTo decodes a part that is a JSON object of at most so many values.
func decodeUpTo(part string, values int) (map[string]any, error) {
	var room [1024]byte // for most parts, which are copied once, out of it
	text, err := appendPart(room[:0], part)
	if err != nil {
		return nil, err
	}
	return strictjson.DecodeUpTo(string(text), values)
}
