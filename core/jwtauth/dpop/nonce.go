package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
)

const (
	nonceField   = "DPoP-Nonce"
	minKey       = 32
	timeSize     = 8  // bytes of a nonce that hold its time
	macSize      = 16 // bytes of a nonce that hold the MAC, 128 bits
	minNonceLife = 10 * time.Second
	maxNonceLife = time.Hour
)

// nonces issues nonces and recognizes them without storing any. A nonce is the time
// of its creation and a MAC of that, in base64url.
type nonces struct {
	lifetime time.Duration
	keys     [][]byte // the first signs, all verify
}

func newNonces(lifetime time.Duration, keys [][]byte) (*nonces, error) {
	if lifetime < minNonceLife || lifetime > maxNonceLife {
		return nil, fmt.Errorf("nonce lifetime %v: must be from %v to %v", lifetime, minNonceLife, maxNonceLife)
	}
	n := &nonces{lifetime: lifetime}
	for i, key := range keys {
		if len(key) < minKey {
			return nil, fmt.Errorf("nonce key %d of %d bytes is too short: must have at least %d random bytes", i+1, len(key), minKey)
		}
		n.keys = append(n.keys, append([]byte(nil), key...))
	}
	return n, nil
}

// nonceEncoding has a single encoding for each nonce.
var nonceEncoding = base64.RawURLEncoding.Strict()

// next returns a nonce for the time now.
func (n *nonces) next(now time.Time) string {
	var at [timeSize]byte
	binary.BigEndian.PutUint64(at[:], uint64(now.UnixMilli()))
	return nonceEncoding.EncodeToString(append(at[:], mac(n.keys[0], at[:])...))
}

// madeAt returns when a nonce was made; ok is false if it was made with none of the
// keys.
func (n *nonces) madeAt(nonce string) (at time.Time, ok bool) {
	if len(nonce) != nonceEncoding.EncodedLen(timeSize+macSize) || strings.ContainsAny(nonce, "\r\n") {
		return at, false
	}
	b, err := nonceEncoding.DecodeString(nonce)
	if err != nil {
		return at, false
	}
	for _, key := range n.keys {
		if hmac.Equal(b[timeSize:], mac(key, b[:timeSize])) {
			return time.UnixMilli(int64(binary.BigEndian.Uint64(b))), true
		}
	}
	return at, false
}

func mac(key, at []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("sallyport dpop nonce\x00"))
	h.Write(at)
	return h.Sum(nil)[:macSize]
}

// checkNonce requires a nonce that is not too old, if nonces are required. A nonce
// of another process may be slightly ahead of this clock.
func (a *Authenticator) checkNonce(c map[string]any, now time.Time) error {
	if a.nonces == nil {
		return nil
	}
	v, ok := c["nonce"]
	if !ok {
		return useNonce(errors.New("no nonce"))
	}
	nonce, ok := v.(string)
	if !ok {
		return refuseProof(core.ReasonBadClaim, "", errors.New("nonce is not a string"))
	}
	at, ok := a.nonces.madeAt(nonce)
	switch {
	case !ok:
		return useNonce(errors.New("nonce was not issued by this service"))
	case now.After(at.Add(a.nonces.lifetime)) || at.After(now.Add(a.leeway)):
		return useNonce(fmt.Errorf("nonce was made at %v", at))
	}
	return nil
}

func useNonce(err error) error {
	return &core.CredentialError{
		Reason: core.ReasonStale, Code: core.CodeUseNonce,
		Description: "The DPoP proof needs the nonce of this response", Err: fmt.Errorf("dpop: %w", err),
	}
}

// inform adds a DPoP-Nonce to a response that asks for one, and to a successful
// response once half the lifetime of the proof's nonce is over (RFC 9449 §8.2). It
// is used only with nonces.
func (a *Authenticator) inform(r core.Request, p *core.Principal, err error) []core.Field {
	now := a.now()
	if err == nil {
		if p == nil || !a.ages(r, now) {
			return nil
		}
		return []core.Field{{Name: nonceField, Value: a.nonces.next(now)}}
	}
	var bad *core.CredentialError
	if !errors.As(err, &bad) || bad.Code != core.CodeUseNonce {
		return nil
	}
	return []core.Field{{Name: nonceField, Value: a.nonces.next(now)}}
}

// ages reports whether the nonce of a proof that has passed is in the second
// half of its life.
func (a *Authenticator) ages(r core.Request, now time.Time) bool {
	field, _ := r.Header(fieldName)
	at, ok := a.nonces.madeAt(nonceOf(field))
	return ok && now.After(at.Add(a.nonces.lifetime/2))
}

// nonceOf returns the nonce of an unchecked proof, or "".
func nonceOf(proof string) string {
	_, rest, _ := strings.Cut(proof, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return ""
	}
	c, err := strictjson.Decode(string(text))
	if err != nil {
		return ""
	}
	nonce, _ := c["nonce"].(string)
	return nonce
}
