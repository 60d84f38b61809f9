package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
)

// A nonce is a nonceID and a MAC over it, in base64url: with the key one can tell
// that it was made with it, and when, without storing anything.
const (
	idBytes    = 16
	macBytes   = 16
	nonceBytes = idBytes + macBytes
	textBytes  = (nonceBytes*8 + 5) / 6
)

var encoding = base64.RawURLEncoding.Strict()

// nonceID is the time of issue, in nanoseconds since the Unix epoch, and 8 random
// bytes that keep the nonces of several instances apart.
type nonceID [idBytes]byte

func (id *nonceID) issued() int64 { return int64(binary.BigEndian.Uint64(id[:8])) }

// sealer makes and opens nonces with one key. It is safe for concurrent use.
type sealer struct {
	opaque  string // the opaque parameter for its nonces
	presses sync.Pool
}

// press holds the buffers for sealing or opening a nonce, so that it does not
// allocate.
type press struct {
	mac  hash.Hash
	raw  [nonceBytes]byte
	text [textBytes]byte
	sum  [sha256.Size]byte
}

// newSealer returns a sealer for one realm: nonces of another realm are foreign,
// even with the same key.
func newSealer(key []byte, realm string) *sealer {
	own := derive(key, "nonce", realm)
	return &sealer{
		opaque:  encoding.EncodeToString(derive(key, "opaque", realm)[:macBytes]),
		presses: sync.Pool{New: func() any { return &press{mac: hmac.New(sha256.New, own)} }},
	}
}

// derive derives a key for one purpose in one realm.
func derive(key []byte, purpose, realm string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("sallyport digest " + purpose + "\x00" + realm))
	return mac.Sum(nil)
}

// seal returns a nonce with the given time of issue.
func (s *sealer) seal(issued int64) string {
	p, _ := s.presses.Get().(*press)
	defer s.presses.Put(p)
	binary.BigEndian.PutUint64(p.raw[:8], uint64(issued))
	_, _ = rand.Read(p.raw[8:idBytes]) // never fails: without randomness the program crashes
	copy(p.raw[idBytes:], p.expected())
	encoding.Encode(p.text[:], p.raw[:])
	return string(p.text[:])
}

// open decodes a nonce; ok is false for one that was not made with the key.
func (s *sealer) open(nonce string) (id nonceID, ok bool) {
	if len(nonce) != textBytes {
		return nonceID{}, false
	}
	p, _ := s.presses.Get().(*press)
	defer s.presses.Put(p)
	copy(p.text[:], nonce)
	if n, err := encoding.Decode(p.raw[:], p.text[:]); err != nil || n != nonceBytes {
		return nonceID{}, false
	}
	return nonceID(p.raw[:idBytes]), hmac.Equal(p.expected(), p.raw[idBytes:])
}

// expected returns the MAC over the nonceID in raw.
func (p *press) expected() []byte {
	p.mac.Reset()
	p.mac.Write(p.raw[:idBytes])
	return p.mac.Sum(p.sum[:0])[:macBytes]
}

// decoys returns, for each algorithm, an H(A1) that no password has.
func decoys(key []byte, realm string, algorithms []Algorithm) map[Algorithm]string {
	all := make(map[Algorithm]string, len(algorithms))
	for _, a := range algorithms {
		all[a] = hex.EncodeToString(derive(key, "decoy "+string(a), realm))[:a.hexLen()]
	}
	return all
}
