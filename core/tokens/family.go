package tokens

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/sessionstore"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// A refresh token consists of the secret of its family, its number in the family
// and a code for both.
const (
	secretBytes  = 32
	numberBytes  = 4
	tokenBytes   = secretBytes + numberBytes + sha256.Size
	tokenLength  = (tokenBytes*8 + 5) / 6
	recordFormat = 1
)

// refreshToken is a parsed refresh token.
type refreshToken struct {
	secret [secretBytes]byte
	number uint32
	code   [sha256.Size]byte
}

// parse parses a token. It checks only the form.
func parse(text string) (t refreshToken, err error) {
	var raw [tokenBytes]byte
	n := 0
	if len(text) == tokenLength {
		n, err = base64.RawURLEncoding.Strict().Decode(raw[:], []byte(text))
	}
	if n != tokenBytes || err != nil {
		return t, refused(core.ReasonMalformed, fmt.Errorf("%d bytes that are not a refresh token", len(text)))
	}
	copy(t.secret[:], raw[:])
	t.number = binary.BigEndian.Uint32(raw[secretBytes:])
	copy(t.code[:], raw[secretBytes+numberBytes:])
	return t, nil
}

func (t refreshToken) String() string {
	raw := make([]byte, 0, tokenBytes)
	raw = append(raw, t.secret[:]...)
	raw = binary.BigEndian.AppendUint32(raw, t.number)
	raw = append(raw, t.code[:]...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// family is the record of one login in the store. It is written once, and again if
// the family ends while its access tokens cannot be revoked.
type family struct {
	Format int `json:"f"`
	sessionstore.Identity
	// CodeKey is the key for the codes of the tokens.
	CodeKey  []byte    `json:"code_key"`
	Deadline time.Time `json:"deadline"`
	// LoggedIn is when the family began.
	LoggedIn time.Time `json:"logged_in,omitzero"`
	// Generation is the principal's generation at login; if it differs now, the
	// principal was logged out everywhere.
	Generation string `json:"generation,omitempty"`
	// Ended reports that the family has ended, and that its access tokens still
	// have to be revoked.
	Ended bool `json:"ended,omitempty"`

	secret [secretBytes]byte
	key    sessionstore.Key
}

// keyOf returns the key of a family in the store. It depends on issuer and
// audience.
func (m *Manager) keyOf(secret [secretBytes]byte) sessionstore.Key {
	return sessionstore.NewKey("token family", m.scope+"\x00"+string(secret[:]))
}

// The entries of a family besides its record: the number of the token to be used
// next, which is kept as long as the family may be idle, and the time of first use
// of each of the last tokens.
func nextKey(k sessionstore.Key) sessionstore.Key {
	return sessionstore.NewKey("token next", string(k))
}

func usedKey(k sessionstore.Key, number uint32) sessionstore.Key {
	return sessionstore.NewKey("token used", string(k)+"\x00"+strconv.FormatUint(uint64(number), 10))
}

func (m *Manager) generationKey(id string) sessionstore.Key {
	return sessionstore.NewKey("token generation", m.scope+"\x00"+id)
}

// token returns the token with the given number.
func (f *family) token(number uint32) refreshToken {
	mac := hmac.New(sha256.New, f.CodeKey)
	mac.Write(f.secret[:])
	mac.Write(binary.BigEndian.AppendUint32(nil, number))
	t := refreshToken{secret: f.secret, number: number}
	mac.Sum(t.code[:0])
	return t
}

// tag returns the name of the family in access tokens. It is not secret.
func (f *family) tag() string { return string(f.key[:22]) }

// startFamily starts a family for p and returns its first token.
func (m *Manager) startFamily(ctx context.Context, p *core.Principal) (*family, refreshToken, error) {
	none := refreshToken{}
	now := m.now()
	f := &family{Format: recordFormat, Identity: sessionstore.NewIdentity(p), CodeKey: make([]byte, sha256.Size), Deadline: now.Add(m.absolute), LoggedIn: now}
	_, _ = rand.Read(f.secret[:]) // never fails: it crashes the program
	_, _ = rand.Read(f.CodeKey)
	f.key = m.keyOf(f.secret)
	if f.AuthTime.IsZero() {
		f.AuthTime = now
	}
	if e := p.Expires(); !e.IsZero() && e.Before(f.Deadline) {
		f.Deadline = e
	}
	if f.Deadline.Sub(now) < time.Second {
		return nil, none, &core.InternalError{Err: errors.New("tokens: the principal that logs in has expired")}
	}
	var err error
	if f.Generation, err = m.generation(ctx, f.ID); err != nil {
		return nil, none, err
	}
	if err := m.setNext(ctx, f, 0); err != nil {
		return nil, none, err
	}
	return f, f.token(0), m.keep(ctx, f)
}

// keep stores the record of a family.
func (m *Manager) keep(ctx context.Context, f *family) error {
	data, err := sessionstore.Encode(f)
	if err != nil {
		return &core.InternalError{Err: fmt.Errorf("tokens: %w", err)}
	}
	return m.store.Commit(ctx, f.key, data, f.Deadline)
}

// find returns the family, live or not, of a token that the server has issued.
func (m *Manager) find(ctx context.Context, t refreshToken) (*family, error) {
	k := m.keyOf(t.secret)
	data, found, err := m.store.Find(ctx, k)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, refused(ReasonUnknown, nil)
	}
	f := &family{}
	if err := sessionstore.Decode(data, f); err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("tokens: %w", err)}
	}
	if f.Format != recordFormat || f.ID == "" || len(f.CodeKey) != sha256.Size {
		return nil, &core.InternalError{Err: errors.New("tokens: record has a form that this program cannot read")}
	}
	f.RestoreNumbers()
	f.secret, f.key = t.secret, k
	if right := f.token(t.number); !hmac.Equal(right.code[:], t.code[:]) {
		return nil, refused(core.ReasonBadSignature, errors.New("the code is not that of the token's number and family"))
	}
	if !m.now().Before(f.Deadline) {
		return nil, refused(core.ReasonExpired, nil)
	}
	return f, nil
}

// check refuses a family that has ended, and deletes what is left of it.
func (m *Manager) check(ctx context.Context, f *family) error {
	if f.Ended {
		if err := m.end(ctx, f); err != nil {
			return err
		}
		return refused(ReasonUnknown, nil)
	}
	generation, err := m.generation(ctx, f.ID)
	switch {
	case err != nil:
		return err
	case generation != "" && generation != f.Generation:
		return refused(core.ReasonRevoked, nil)
	}
	return m.checkRevoked(ctx, f)
}

// checkRevoked refuses a family that was revoked ([WithRevocation]). It also
// deletes the record, so that the family stays revoked after the list has forgotten
// it.
func (m *Manager) checkRevoked(ctx context.Context, f *family) error {
	if m.revocations == nil {
		return nil
	}
	revoked, err := m.revocations.Revoked(ctx, revoke.Token{Issuer: m.signer.Issuer(), ID: f.tag(), Subject: f.ID, IssuedAt: f.LoggedIn, Expires: f.Deadline})
	switch {
	case err != nil:
		return &core.UnavailableError{Err: fmt.Errorf("tokens: revocations: %w", err)}
	case revoked:
		if err := m.store.Delete(context.WithoutCancel(ctx), f.key); err != nil {
			return err
		}
		return refused(core.ReasonRevoked, nil)
	}
	return nil
}

// principal returns the principal that the family belongs to.
func (f *family) principal() (*core.Principal, error) {
	info := f.Info()
	info.Expires = f.Deadline
	p, err := core.NewPrincipal(info)
	if err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("tokens: %w", err)}
	}
	return p, nil
}

// setNext stores the number of the token to be used next.
func (m *Manager) setNext(ctx context.Context, f *family, number uint32) error {
	return m.store.Commit(ctx, nextKey(f.key), strconv.AppendUint(nil, uint64(number), 10), m.now().Add(m.idle))
}

// next returns the number of the token to be used next. If there is none, the
// family has been idle for too long.
func (m *Manager) next(ctx context.Context, f *family) (uint32, error) {
	data, found, err := m.store.Find(ctx, nextKey(f.key))
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, refused(core.ReasonExpired, errors.New("not used for too long"))
	}
	n, err := strconv.ParseUint(string(data), 10, 32)
	if err != nil {
		return 0, &core.InternalError{Err: errors.New("tokens: number of the next token in the store cannot be read")}
	}
	return uint32(n), nil
}

// firstUse returns when the token with the given number was first used; zero for
// not yet.
func (m *Manager) firstUse(ctx context.Context, f *family, number uint32) (at time.Time, err error) {
	data, found, err := m.store.Find(ctx, usedKey(f.key, number))
	if err != nil || !found {
		return at, err
	}
	if at, err = time.Parse(time.RFC3339Nano, string(data)); err != nil {
		return at, &core.InternalError{Err: errors.New("tokens: time of first use in the store cannot be read")}
	}
	return at, nil
}

func (m *Manager) generation(ctx context.Context, id string) (string, error) {
	data, _, err := m.store.Find(ctx, m.generationKey(id))
	if err == nil && len(data) > 64 {
		err = &core.InternalError{Err: fmt.Errorf("tokens: generation of %d bytes in the store", len(data))}
	}
	return string(data), err
}

// refused returns the error for a refresh token that is not valid, or no longer.
func refused(why core.Reason, err error) error {
	return &core.CredentialError{Reason: why, Code: core.CodeInvalidCredentials, Err: err}
}
