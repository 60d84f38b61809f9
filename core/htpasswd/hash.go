package htpasswd

import (
	"fmt"
	"strings"
)

const (
	defaultMinCost = 10
	// maxCost is the highest cost accepted: a hash then takes seconds.
	maxCost = 16
	// maxPassword is what bcrypt can hash; Go's compares no byte beyond.
	maxPassword = 72

	advice = "`htpasswd -nB -C 12 user`"

	hashLen   = len("$2y$10$") + saltLen + digestLen
	saltLen   = 22
	digestLen = 31
	alphabet  = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// checkHash returns the cost of a usable bcrypt hash, or what is wrong with it
// and what to do. It does not repeat the hash, which may be a password.
func checkHash(hash string, minCost int) (cost int, problem string) {
	if kind := otherKind(hash); kind != "" {
		return 0, fmt.Sprintf("%s: bcrypt only: make it with %s", kind, advice)
	}
	if len(hash) != hashLen {
		return 0, fmt.Sprintf("malformed bcrypt hash of %d characters, not %d: make it again with %s", len(hash), hashLen, advice)
	}
	tens, ones := hash[4], hash[5]
	if tens < '0' || tens > '9' || ones < '0' || ones > '9' || hash[6] != '$' {
		return 0, "malformed bcrypt hash: no cost of two digits: make it again with " + advice
	}
	body := hash[7:]
	if i := strings.IndexFunc(body, func(r rune) bool { return !strings.ContainsRune(alphabet, r) }); i >= 0 {
		return 0, fmt.Sprintf("malformed bcrypt hash: bad character %d: make it again with %s", 8+i, advice)
	}
	// 31 characters carry 23 bytes and two zero bits; a hash with others
	// there matches no password.
	if strings.IndexByte(alphabet, body[len(body)-1])%4 != 0 {
		return 0, "malformed bcrypt hash: bad last character: make it again with " + advice
	}
	cost = int(tens-'0')*10 + int(ones-'0')
	switch {
	case cost < minCost:
		return 0, fmt.Sprintf("bcrypt cost %d is below %d and too quick to guess: make it again with %s", cost, minCost, advice)
	case cost > maxCost:
		return 0, fmt.Sprintf("bcrypt cost %d is above %d and would take seconds for each request: make it again with %s", cost, maxCost, advice)
	}
	return cost, ""
}

// otherKind says what a hash is that is not bcrypt, and "" for bcrypt.
func otherKind(hash string) string {
	for _, k := range []struct{ prefix, kind string }{
		{"$2a$", ""}, {"$2b$", ""}, {"$2y$", ""},
		{"$2x$", "hash of a faulty bcrypt ($2x$)"},
		{"$2$", "outdated bcrypt hash ($2$)"},
		{"$apr1$", "MD5 hash ($apr1$)"},
		{"$1$", "MD5 hash ($1$)"},
		{"$5$", "SHA-256 crypt hash ($5$)"},
		{"$6$", "SHA-512 crypt hash ($6$)"},
		{"{SHA}", "SHA-1 hash ({SHA})"},
		{"{", "LDAP-style hash ({…})"},
		{"$", "hash of another kind ($…$)"},
	} {
		if strings.HasPrefix(hash, k.prefix) {
			return k.kind
		}
	}
	if hash == "" {
		return "no hash after the colon"
	}
	return "crypt hash or plain text"
}

// withCost is a copy of a checked hash that says another cost.
func withCost(hash []byte, cost int) []byte {
	h := append([]byte(nil), hash...)
	h[4], h[5] = byte('0'+cost/10), byte('0'+cost%10)
	return h
}
