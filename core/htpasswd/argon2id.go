package htpasswd

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const (
	argon2idPrefix = "$argon2id$"
	argon2idAdvice = "argon2id with m=19456,t=2,p=1 or more"

	// maxWork is the highest accepted product of memory and passes, in KiB: such a
	// hash takes seconds.
	maxWork    = 4 << 20
	maxThreads = 16
	minSalt    = 8 // RFC 9106 §3.1; 16 are recommended
	minSum     = 16
	maxPart    = 64 // of salt and sum, in bytes
)

// argon2idFloor is the minimum memory in KiB for each number of passes, starting
// with one: the settings of the OWASP Password Storage Cheat Sheet, which are
// equally strong. Those that RFC 9106 §4 recommends are above them.
var argon2idFloor = [...]uint32{47104, 19456, 12288, 9216, 7168}

// parseArgon2id parses what follows $argon2id$ in a PHC string:
// v=19$m=…,t=…,p=…$salt$sum, numbers in decimal without leading zeros, the rest in
// base64 without padding.
func parseArgon2id(text string, l limits) (h *hash, problem string) {
	parts := strings.Split(text, "$")
	if len(parts) != 4 {
		return nil, malformedArgon2id("not $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	}
	if parts[0] != "v=19" {
		return nil, malformedArgon2id("no version 19 (v=19)")
	}
	s, ok := parseShape(parts[1])
	if !ok {
		return nil, malformedArgon2id("parameters that are not m=…,t=…,p=… in decimal")
	}
	if problem := s.outside(l); problem != "" {
		return nil, problem
	}
	salt, ok := decodePart(parts[2], minSalt)
	if !ok {
		return nil, malformedArgon2id(fmt.Sprintf("a salt that is not %d to %d bytes in base64 without padding", minSalt, maxPart))
	}
	sum, ok := decodePart(parts[3], minSum)
	if !ok {
		return nil, malformedArgon2id(fmt.Sprintf("a hash that is not %d to %d bytes in base64 without padding", minSum, maxPart))
	}
	return &hash{shape: s, salt: salt, sum: sum}, ""
}

func malformedArgon2id(what string) string {
	return "malformed argon2id hash: " + what + ": make it again with " + argon2idAdvice
}

// parseShape parses m=…,t=…,p=…. Keys and associated data are not supported.
func parseShape(text string) (s shape, ok bool) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return shape{}, false
	}
	var n [3]uint64
	for i, name := range []string{"m=", "t=", "p="} {
		digits, found := strings.CutPrefix(parts[i], name)
		v, err := strconv.ParseUint(digits, 10, 32)
		if !found || err != nil || digits != strconv.FormatUint(v, 10) {
			return shape{}, false
		}
		n[i] = v
	}
	if n[2] > maxThreads {
		n[2] = maxThreads + 1 // outside refuses it; a uint8 could wrap around
	}
	return shape{memory: uint32(n[0]), passes: uint32(n[1]), threads: uint8(n[2])}, true
}

// outside returns which limit of argon2id s exceeds, or "".
func (s shape) outside(l limits) string {
	if s.passes < 1 || s.threads < 1 || s.threads > maxThreads {
		return malformedArgon2id(fmt.Sprintf("t must be at least 1 and p 1 to %d", maxThreads))
	}
	floor := argon2idFloor[min(s.passes, uint32(len(argon2idFloor)))-1]
	switch {
	case s.memory < floor:
		return fmt.Sprintf("argon2id with m=%d is below %d KiB, the minimum for t=%d, and too quick to guess: make it again with %s",
			s.memory, floor, s.passes, argon2idAdvice)
	case uint64(s.memory)<<10 > l.memory:
		return fmt.Sprintf("argon2id with m=%d needs more memory than the %d KiB allowed: make it again with less, or allow more with WithMaxMemory",
			s.memory, l.memory>>10)
	case uint64(s.memory)*uint64(s.passes) > maxWork:
		return fmt.Sprintf("argon2id with m=%d,t=%d would take seconds for each request: make it again with m times t at most %d",
			s.memory, s.passes, maxWork)
	}
	return ""
}

// decodePart decodes a salt or a sum of at least least bytes. Go's decoder skips CR
// and LF, which would give the same bytes several encodings.
func decodePart(text string, least int) (part []byte, ok bool) {
	if len(text) > base64.RawStdEncoding.EncodedLen(maxPart) {
		return nil, false
	}
	part, err := base64.RawStdEncoding.Strict().DecodeString(text)
	return part, err == nil && len(part) >= least && !strings.ContainsAny(text, "\r\n")
}
