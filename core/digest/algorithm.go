package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Algorithm is a hash algorithm as named by the algorithm parameter (RFC 7616
// §3.3). The -sess variants are neither offered nor accepted.
type Algorithm string

// The algorithms of RFC 7616 §6.1.
const (
	SHA256 Algorithm = "SHA-256"
	// SHA512256 is SHA-512/256 of FIPS 180-4, not truncated SHA-512; the example in
	// RFC 7616 §3.9.2 is wrong (erratum 4897).
	SHA512256 Algorithm = "SHA-512-256"
	MD5       Algorithm = "MD5"
)

// qopAuth is the only quality of protection that is offered.
const qopAuth = "auth"

// Input holds what a response is computed from besides H(A1). All values are plain,
// without quotes and escapes (RFC 7616 §3.4.5).
type Input struct {
	// Method is the request method.
	Method string
	// URI is the uri parameter: the request target, including the query.
	URI string
	// Nonce is the server's nonce.
	Nonce string
	// Count is the nc parameter, 8 lower-case hex digits.
	Count string
	// ClientNonce is the cnonce parameter.
	ClientNonce string
}

// Response returns the response parameter for qop=auth (RFC 7616 §3.4.1), in
// lower-case hex; "" for an algorithm that this package does not define. a1 is the
// result of [HashA1] for the same algorithm.
//
// A client sends it, and a server compares it with its own.
func (a Algorithm) Response(a1 string, in Input) string {
	var digits [maxHexLen]byte
	return string(a.appendResponse(digits[:0], a1, in))
}

// HashA1 returns H(A1), H(user:realm:password) in lower-case hex (RFC 7616 §3.4.2).
// Anyone who has it can sign in, so protect it like a password.
//
// Values are hashed byte for byte: pass them in UTF-8, normalized as clients send
// them (NFC). A user that is empty or contains a colon, an empty realm and an
// unknown algorithm are errors, which never quote the password.
func HashA1(a Algorithm, user, realm, password string) (string, error) {
	switch {
	case a.hexLen() == 0:
		return "", fmt.Errorf("digest: unknown algorithm %q: use SHA-256, SHA-512-256 or MD5", string(a))
	case user == "" || strings.Contains(user, ":"):
		return "", errors.New("digest: the user is empty or contains a colon, which separates it from the realm")
	case realm == "":
		return "", errors.New("digest: empty realm")
	}
	return string(a.appendHash(nil, []byte(user+":"+realm+":"+password))), nil
}

// HashUser returns H(user:realm) in lower-case hex, which a client sends in place
// of its name with userhash=true (RFC 7616 §3.4.4); "" for an algorithm that this
// package does not define.
func HashUser(a Algorithm, user, realm string) string {
	return string(a.appendHash(nil, []byte(user+":"+realm)))
}

// maxHexLen is the maximum number of hex digits of a hash.
const maxHexLen = 2 * sha256.Size

// hexLen returns the number of hex digits of a hash; 0 for an unknown algorithm.
func (a Algorithm) hexLen() int {
	switch a {
	case SHA256, SHA512256:
		return maxHexLen
	case MD5:
		return 2 * md5.Size
	}
	return 0
}

// appendHash appends H(text) in lower-case hex.
func (a Algorithm) appendHash(dst, text []byte) []byte {
	switch a {
	case SHA256:
		sum := sha256.Sum256(text)
		return hex.AppendEncode(dst, sum[:])
	case SHA512256:
		sum := sha512.Sum512_256(text)
		return hex.AppendEncode(dst, sum[:])
	case MD5:
		sum := md5.Sum(text)
		return hex.AppendEncode(dst, sum[:])
	}
	return dst
}

// appendResponse appends the response to dst.
func (a Algorithm) appendResponse(dst []byte, a1 string, in Input) []byte {
	var (
		digits [maxHexLen]byte
		room   [512]byte // for the texts of usual requests
	)
	text := append(room[:0], in.Method...)
	text = append(text, ':')
	text = append(text, in.URI...)
	a2 := a.appendHash(digits[:0], text)

	text = append(text[:0], a1...)
	for _, part := range [...]string{in.Nonce, in.Count, in.ClientNonce, qopAuth} {
		text = append(text, ':')
		text = append(text, part...)
	}
	text = append(text, ':')
	text = append(text, a2...)
	return a.appendHash(dst, text)
}

// isHex reports whether s is n lower-case hex digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}
