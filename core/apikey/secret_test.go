package apikey

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// F02: 260 random bits, and a hash that any tool can make of the key.
func TestGenerate(t *testing.T) {
	// The pattern that the documentation gives to scanners.
	pattern := regexp.MustCompile(`^sp_[a-z2-7]{10}\.[a-z2-7]{59}$`)
	seen := map[string]bool{}
	letters := map[byte]int{}
	for range 500 {
		key, id, hash := Generate()
		if !pattern.MatchString(key) || !strings.HasPrefix(key, id+".") || !IsID(id) {
			t.Fatalf("key %q, ID %q", key, id)
		}
		if got, ok := parse(key); !ok || got != id {
			t.Errorf("parse(%q) = %q, %v", key, got, ok)
		}
		if want := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(key))); hash.String() != want {
			t.Errorf("hash %s, want %s", hash, want)
		}
		if seen[id] || seen[key] {
			t.Error("made twice")
		}
		seen[id], seen[key] = true, true
		for i := idBytes + 1; i < keyBytes-checkLetters; i++ {
			letters[key[i]]++
		}
	}
	// 26,000 letters, about 812 of each; half of that is 14 deviations away.
	for i := range len(alphabet) {
		if n := letters[alphabet[i]]; n < 400 || n > 1300 {
			t.Errorf("letter %c came %d times", alphabet[i], n)
		}
	}
}

// The form of keys does not change: those given out stay good.
func TestKeyOfOld(t *testing.T) {
	text := "sp_k3m9x2q7ab." // 9 is no letter
	if IsID(text[:idBytes]) {
		t.Errorf("%s is an ID", text[:idBytes])
	}
	text = "sp_k3m4x2q7ab." + strings.Repeat("abcdefghijklm", 4)
	const sum, hash = "cdra2sa", "sha256:8c88e3c9d88054c942270ec9417c73341cc67a8c2d065b0a524d128c66eff442"
	if got := summed(text); got != text+sum {
		t.Errorf("checksum %s, want %s", got[len(text):], sum)
	}
	if got := hashOf(text + sum).String(); got != hash {
		t.Errorf("hash %s, want %s", got, hash)
	}
}

func TestParseHash(t *testing.T) {
	key, _, hash := Generate()
	if got, err := ParseHash(hash.String()); err != nil || got != hash {
		t.Errorf("%v, %v", got, err)
	}
	digits := strings.Repeat("0", 64)
	for _, s := range []string{"", "sha256:", digits, "md5:" + digits, "sha256:" + digits[1:], "sha256:" + digits + "0", "sha256:" + digits[1:] + "g", "SHA256:" + digits} {
		if _, err := ParseHash(s); err == nil || !strings.Contains(err.Error(), "64 hexadecimal digits") {
			t.Errorf("%q: %v", s, err)
		}
	}
	if _, err := ParseHash(key); err == nil || strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "revoke it") {
		t.Errorf("a key for a hash: %v", err)
	}
}
