package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"
)

// Prefix begins every ID and so every key, for scanners that look for secrets
// in what is published: the pattern of a key is sp_[a-z2-7]{10}\.[a-z2-7]{59}.
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

// Hash is what is kept of a key: the SHA-256 of all its text, ID included. A
// secret has 260 random bits, so there is nothing to guess and a slow hash
// would add nothing.
type Hash [sha256.Size]byte

const hashLabel = "sha256:"

// String is the hash as a key file has it, "sha256:" and 64 hexadecimal
// digits.
func (h Hash) String() string { return hashLabel + hex.EncodeToString(h[:]) }

// ParseHash reads what [Hash.String] writes. Its errors hold nothing of s.
func ParseHash(s string) (Hash, error) {
	if isKey(s) {
		return Hash{}, errors.New("this is a key, not a hash: keep keys out of files, revoke it, and make another")
	}
	var h Hash
	digits, found := strings.CutPrefix(s, hashLabel)
	if !found || len(digits) != hex.EncodedLen(len(h)) {
		return Hash{}, errors.New("a hash is sha256: and 64 hexadecimal digits")
	}
	if _, err := hex.Decode(h[:], []byte(digits)); err != nil {
		return Hash{}, errors.New("a hash is sha256: and 64 hexadecimal digits, and here is another character")
	}
	return h, nil
}

// Generate makes a new key. Only the client may keep it: hash is what to keep
// here, under id, which is how the key begins. It never fails; without a source
// of randomness the program ends.
func Generate() (key, id string, hash Hash) {
	// Each Text has 26 letters, 130 bits.
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

// parse is the ID of a key, and whether s is one by form and checksum.
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
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// checksum tells a key that was cut or mistyped from a wrong one, and a key
// from other text that looks like one. It guards against nobody.
//
// It is crc32.ChecksumIEEE in letters, worked out here since that one wants
// bytes on the heap.
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

// hashOf is the hash of a key by form.
func hashOf(key string) Hash {
	var buf [keyBytes]byte // on the stack, and a fixed length whatever the key
	copy(buf[:], key)
	return sha256.Sum256(buf[:])
}
