package jws

import (
	"crypto"
	"crypto/hmac"
	"hash"
	"slices"
	"sync"
)

// macs verifies MACs made with one secret (RFC 7518 §3.2). It reuses hash states,
// so that what depends only on the secret is computed once per state, and verifying
// a token does not allocate one. It is safe for concurrent use.
type macs struct{ idle sync.Pool }

// mac is for one goroutine at a time.
type mac struct {
	hash      hash.Hash
	text, sum []byte
}

func newMACs(h crypto.Hash, secret []byte) *macs {
	secret = slices.Clone(secret)
	return &macs{sync.Pool{New: func() any { return &mac{hash: hmac.New(h.New, secret)} }}}
}

func (m *macs) verify(text string, signature []byte) bool {
	one := m.idle.Get().(*mac)
	one.hash.Reset() // makes the hash cache its state after the secret
	one.text = append(one.text[:0], text...)
	one.hash.Write(one.text)
	one.sum = one.hash.Sum(one.sum[:0])
	fits := hmac.Equal(signature, one.sum)
	clear(one.sum) // it would be a valid signature of the attacker's text
	m.idle.Put(one)
	return fits
}
