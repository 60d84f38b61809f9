package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"
)

// Prefix begins every ID and so every key, for scanners that look for published
// secrets: a key matches sp_[a-z2-7]{10}\.[a-z2-7]{59}.
const Prefix = "sp_"

// The parts of a key, in letters of 5 bits each.
const (
	idLetters     = 10
	secretLetters = 52
	checkLetters  = 7 // of 32 bits
	idBytes       = len(Prefix) + idLetters
	keyBytes      = idBytes + 1 + secretLetters + checkLetters
)

// alphabet is base32 (RFC 4648 §6) in lower case.
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// Hash is the SHA-256 of a whole key, including its ID, and is stored in place of
// it. A secret has 260 random bits, so it cannot be guessed and a slow hash would
// add nothing.
type Hash [sha256.Size]byte

const hashLabel = "sha256:"

// String returns the hash as in a key file, "sha256:" and 64 hexadecimal digits.
func (h Hash) String() string { return hashLabel + hex.EncodeToString(h[:]) }

// ParseHash parses the result of [Hash.String]. Its errors do not quote s.
func ParseHash(s string) (Hash, error) {
	if isKey(s) {
		return Hash{}, errors.New("this is a key, not a hash: keep keys out of files, revoke it, and make another")
	}
	var h Hash
	digits, found := strings.CutPrefix(s, hashLabel)
	if !found || len(digits) != hex.EncodedLen(len(h)) {
		return Hash{}, errors.New("a hash must be sha256: and 64 hexadecimal digits")
	}
	if _, err := hex.Decode(h[:], []byte(digits)); err != nil {
		return Hash{}, errors.New("a hash must be sha256: and 64 hexadecimal digits: one character is not a digit")
	}
	return h, nil
}

// Generate returns a new key. Only the client may keep it: store hash under id,
// with which the key begins. Generate never fails; without a source of randomness
// the program crashes.
func Generate() (key, id string, hash Hash) {
	// Each Text has 26 letters, or 130 bits.
	id = Prefix + strings.ToLower(rand.Text()[:idLetters])
	key = id + "." + strings.ToLower(rand.Text()+rand.Text())
	sum := checksum(key)
	key += string(sum[:])
	return key, id, hashOf(key)
}

// IsID reports whether s has the form of a key's ID: sp_ and ten of the letters
// a to z and 2 to 7.
func IsID(s string) bool {
	return len(s) == idBytes && s[:len(Prefix)] == Prefix && isLetters(s[len(Prefix):])
}

// parse returns the ID of a key, and reports whether s is a key by form and
// checksum.
func parse(s string) (id string, ok bool) {
	if len(s) != keyBytes || s[idBytes] != '.' || !IsID(s[:idBytes]) || !isLetters(s[idBytes+1:]) {
		return "", false
	}
	end := keyBytes - checkLetters
	if sum := checksum(s[:end]); string(sum[:]) != s[end:] {
		return "", false
	}
	return s[:idBytes], true
}

func isKey(s string) bool {
	_, ok := parse(s)
	return ok
}

func isLetters(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// checksum tells a truncated or mistyped key from a wrong one, and a key from other
// text that looks like one. It is not a security measure.
//
// It is crc32.ChecksumIEEE in letters, computed here because that function makes
// its argument escape to the heap.
func checksum(s string) [checkLetters]byte {
	crc := ^uint32(0)
	for i := range len(s) {
		crc = crc32.IEEETable[byte(crc)^s[i]] ^ crc>>8
	}
	crc = ^crc
	var out [checkLetters]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = alphabet[crc&31]
		crc >>= 5
	}
	return out
}

// hashOf returns the hash of a well-formed key.
func hashOf(key string) Hash {
	var buf [keyBytes]byte // on the stack, with a fixed length for every key
	copy(buf[:], key)
	return sha256.Sum256(buf[:])
}
