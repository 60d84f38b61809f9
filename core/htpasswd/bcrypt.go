package htpasswd

import (
	"fmt"
	"strings"
)

const (
	defaultMinCost = 10
	// maxCost is the highest accepted cost: such a hash takes seconds.
	maxCost = 16
	// maxPassword is the number of bytes that bcrypt can hash; Go's compares no
	// further bytes.
	maxPassword = 72

	hashLen   = len("$2y$10$") + saltLen + digestLen
	saltLen   = 22
	digestLen = 31
	alphabet  = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// parseBcrypt parses a hash that begins like a bcrypt hash.
func parseBcrypt(text string, l limits) (h *hash, problem string) {
	if len(text) != hashLen {
		return nil, fmt.Sprintf("malformed bcrypt hash of %d characters, not %d: make it again with %s", len(text), hashLen, advice)
	}
	tens, ones := text[4], text[5]
	if tens < '0' || tens > '9' || ones < '0' || ones > '9' || text[6] != '$' {
		return nil, "malformed bcrypt hash: no cost of two digits: make it again with " + advice
	}
	body := text[7:]
	if i := strings.IndexFunc(body, func(r rune) bool { return !strings.ContainsRune(alphabet, r) }); i >= 0 {
		return nil, fmt.Sprintf("malformed bcrypt hash: bad character %d: make it again with %s", 8+i, advice)
	}
	// 31 characters hold 23 bytes and two zero bits; a hash with other bits there
	// matches no password.
	if strings.IndexByte(alphabet, body[len(body)-1])%4 != 0 {
		return nil, "malformed bcrypt hash: bad last character: make it again with " + advice
	}
	cost := int(tens-'0')*10 + int(ones-'0')
	switch {
	case cost < l.minCost:
		return nil, fmt.Sprintf("bcrypt cost %d is below %d and too quick to guess: make it again with %s", cost, l.minCost, advice)
	case cost > maxCost:
		return nil, fmt.Sprintf("bcrypt cost %d is above %d and would take seconds for each request: make it again with %s", cost, maxCost, advice)
	}
	return &hash{shape: shape{cost: cost}, text: []byte(text)}, ""
}

// withCost returns a copy of a bcrypt hash with another cost.
func (h *hash) withCost(cost int) *hash {
	text := append([]byte(nil), h.text...)
	text[4], text[5] = byte('0'+cost/10), byte('0'+cost%10)
	return &hash{shape: shape{cost: cost}, text: text}
}
