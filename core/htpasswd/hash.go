package htpasswd

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// advice says how to make the line of a user.
const advice = "`sallyport passwd FILE USER` or `htpasswd -nB -C 12 USER`"

// shape determines the work of comparing a password with a hash: cost for bcrypt,
// the rest for argon2id.
type shape struct {
	cost    int
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// bcrypt reports whether s is a shape of bcrypt rather than argon2id.
func (s shape) bcrypt() bool { return s.cost > 0 }

// hash is a password hash that has passed the checks.
type hash struct {
	shape
	text      []byte // of bcrypt, in the library's format
	salt, sum []byte // of argon2id
}

// matches reports whether password matches the hash. For bcrypt it must not be
// longer than maxPassword.
func (h *hash) matches(password []byte) (bool, error) {
	if !h.bcrypt() {
		sum := argon2.IDKey(password, h.salt, h.passes, h.memory, h.threads, uint32(len(h.sum)))
		return subtle.ConstantTimeCompare(sum, h.sum) == 1, nil
	}
	err := bcrypt.CompareHashAndPassword(h.text, password)
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

// limits bounds the work of a hash from below and above.
type limits struct {
	minCost int    // of bcrypt
	memory  uint64 // bytes for argon2id
}

// parseHash parses one hash, or returns what is wrong with it and what to do. It
// does not quote the hash, which may be a password.
func parseHash(text string, l limits) (h *hash, problem string) {
	if kind := otherKind(text); kind != "" {
		return nil, fmt.Sprintf("%s: only bcrypt and argon2id are accepted: make the line with %s", kind, advice)
	}
	if params, ok := strings.CutPrefix(text, argon2idPrefix); ok {
		return parseArgon2id(params, l)
	}
	return parseBcrypt(text, l)
}

// otherKind names the kind of a hash that is neither bcrypt nor argon2id, and
// returns "" for those.
func otherKind(text string) string {
	for _, k := range []struct{ prefix, kind string }{
		{"$2a$", ""}, {"$2b$", ""}, {"$2y$", ""}, {argon2idPrefix, ""},
		{"$2x$", "hash of a faulty bcrypt ($2x$)"},
		{"$2$", "outdated bcrypt hash ($2$)"},
		{"$argon2i$", "argon2i hash ($argon2i$)"},
		{"$argon2d$", "argon2d hash ($argon2d$)"},
		{"$apr1$", "MD5 hash ($apr1$)"},
		{"$1$", "MD5 hash ($1$)"},
		{"$5$", "SHA-256 crypt hash ($5$)"},
		{"$6$", "SHA-512 crypt hash ($6$)"},
		{"{SHA}", "SHA-1 hash ({SHA})"},
		{"{", "LDAP-style hash ({…})"},
		{"$", "hash of another kind ($…$)"},
	} {
		if strings.HasPrefix(text, k.prefix) {
			return k.kind
		}
	}
	if text == "" {
		return "no hash after the colon"
	}
	return "crypt hash or plain text"
}
