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

// Algorithm is a hash algorithm as the algorithm parameter spells it (RFC 7616
// §3.3). The -sess variants are not offered and refused.
type Algorithm string

// The algorithms of RFC 7616 §6.1.
const (
	SHA256 Algorithm = "SHA-256"
	// SHA512256 is SHA-512/256 of FIPS 180-4 and not SHA-512 cut short; the
	// example of RFC 7616 §3.9.2 has it wrong (erratum 4897).
	SHA512256 Algorithm = "SHA-512-256"
	MD5       Algorithm = "MD5"
)

// qopAuth is the only quality of protection that is offered.
const qopAuth = "auth"

// Input is what a response is computed from besides H(A1). All values are as
// they are meant, without quotes and escapes (RFC 7616 §3.4.5).
type Input struct {
	// Method is the request method.
	Method string
	// URI is the uri parameter: the request target, query included.
	URI string
	// Nonce is the server's nonce.
	Nonce string
	// Count is the nc parameter, 8 lower-case hex digits.
	Count string
	// ClientNonce is the cnonce parameter.
	ClientNonce string
}

// Response is the response parameter for qop=auth (RFC 7616 §3.4.1), in
// lower-case hex; "" for an algorithm that is not one of this package. a1 is
// what [HashA1] returns for the same algorithm.
//
// It is what a client sends, and what a server compares with that.
func (a Algorithm) Response(a1 string, in Input) string {
	var digits [maxHexLen]byte
	var text [512]byte
	response, _ := a.appendResponse(digits[:0], text[:0], a1, in)
	return string(response)
}

// HashA1 is H(A1), H(user:realm:password) in lower-case hex (RFC 7616 §3.4.2).
// Who has it can sign in, so it is to be kept like a password.
//
// Values are hashed as the bytes they are: give them in UTF-8, normalized as
// clients send them (NFC). A user that is empty or holds a colon, an empty realm
// and an unknown algorithm are errors, which hold no password.
func HashA1(a Algorithm, user, realm, password string) (string, error) {
	switch {
	case a.hexLen() == 0:
		return "", fmt.Errorf("digest: unknown algorithm %q: it is SHA-256, SHA-512-256 or MD5", string(a))
	case user == "" || strings.Contains(user, ":"):
		return "", errors.New("digest: the user is empty or holds a colon, which separates it from the realm")
	case realm == "":
		return "", errors.New("digest: empty realm")
	}
	return string(a.appendHash(nil, []byte(user+":"+realm+":"+password))), nil
}

// HashUser is H(user:realm) in lower-case hex, what a client sends for its name
// with userhash=true (RFC 7616 §3.4.4); "" for an algorithm that is not one of
// this package.
func HashUser(a Algorithm, user, realm string) string {
	return string(a.appendHash(nil, []byte(user+":"+realm)))
}

// maxHexLen is the most hex digits that a hash has.
const maxHexLen = 2 * sha256.Size

// hexLen is the number of hex digits of a hash; 0 for an unknown algorithm.
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

// appendResponse appends the response to dst. It returns text as well, which it
// writes to and may have grown.
func (a Algorithm) appendResponse(dst, text []byte, a1 string, in Input) (response, grown []byte) {
	var digits [maxHexLen]byte
	text = append(text[:0], in.Method...)
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
	return a.appendHash(dst, text), text
}

// isHex reports whether s is n lower-case hex digits.
func isHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
