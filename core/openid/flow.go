package openid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
)

const (
	// cookiePrefix begins the names of the cookies of sign-ins.
	cookiePrefix = "openid-"
	// maxFlows is the number of sign-ins that a browser may have under way: beyond
	// that the oldest is dropped, so that cookies do not fill up requests.
	maxFlows = 8
	// maxReturnTo is the maximum length in bytes of a path to return to: it is part
	// of state, which providers limit.
	maxReturnTo = 1 << 10
	// maxState is more than the length of the longest possible state.
	maxState = 4 << 10
)

// flow is one sign-in under way. The browser has its key in a cookie of its own,
// and the rest goes to the provider in state, sealed with that key. So a flow
// belongs to one browser, tabs do not disturb each other, and nothing is stored
// here for abandoned sign-ins.
type flow struct {
	id  string // the cookie's name after the prefix, sortable by time
	key []byte

	Provider string `json:"p"`
	ReturnTo string `json:"r,omitempty"`
	Begun    int64  `json:"t"` // in seconds since 1970
}

var encoding = base64.RawURLEncoding.Strict()

// newFlow starts a sign-in.
func newFlow(p *Provider, returnTo string, now time.Time) *flow {
	f := &flow{key: make([]byte, 32), Provider: p.name, Begun: now.Unix()}
	if to := respond.ReturnTo(returnTo); to != "/" && len(to) <= maxReturnTo {
		f.ReturnTo = to
	}
	_, _ = rand.Read(f.key) // never fails: it crashes the program
	f.id = fmt.Sprintf("%010x%s", f.Begun, strings.ToLower(rand.Text()[:10]))
	return f
}

// derive returns a value that can be computed only with the flow's key.
func (f *flow) derive(what string) string {
	h := hmac.New(sha256.New, f.key)
	h.Write([]byte(what))
	return encoding.EncodeToString(h.Sum(nil))
}

// nonce binds the ID token to the flow (OpenID Connect Core 1.0 §3.1.2.1).
func (f *flow) nonce() string { return f.derive("nonce") }

// verifier binds the code to the flow (RFC 7636 §4.1).
func (f *flow) verifier() string { return f.derive("verifier") }

// sealer returns the cipher that seals state.
func (f *flow) sealer() (cipher.AEAD, error) {
	key, err := encoding.DecodeString(f.derive("state"))
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// state returns the sealed flow, which the provider sends back.
func (f *flow) state() (string, error) {
	seal, err := f.sealer()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	return f.id + "." + encoding.EncodeToString(seal.Seal(nil, nil, text, []byte(f.id))), nil //nolint:gosec // the sealer makes the nonce
}

// unknown returns the error for a response that matches no flow.
func unknown(format string, args ...any) error {
	return refuse(ReasonUnknownSignIn, format, args...)
}

func refuse(reason core.Reason, format string, args ...any) error {
	return &core.CredentialError{Reason: reason, Code: core.CodeInvalidCredentials, Err: fmt.Errorf("openid: "+format, args...)}
}

// cookieName returns the cookie name of the flow with the given ID.
func (s *SignIn) cookieName(id string) string {
	if s.sessions.Cookie().Secure {
		return "__Host-" + cookiePrefix + id
	}
	return cookiePrefix + id
}

// flowOf returns the flow that r completes: the state names the cookie, and its
// sealed part opens only with the key in that cookie.
func (s *SignIn) flowOf(r core.Request) (*flow, error) {
	state, n := r.Query("state")
	switch {
	case n != 1:
		return nil, unknown("%d parameters state", n)
	case len(state) > maxState:
		return nil, unknown("state of %d bytes", len(state))
	}
	id, sealed, _ := strings.Cut(state, ".")
	if !isFlowID(id) {
		return nil, unknown("state is not one of ours")
	}
	value, n := r.Cookie(s.cookieName(id))
	if n != 1 {
		return nil, unknown("%d cookies of that sign-in: it was begun in another browser, or too long ago", n)
	}
	f := &flow{id: id}
	var err error
	if f.key, err = encoding.DecodeString(value); err != nil || len(f.key) != 32 {
		return nil, unknown("the cookie of the sign-in cannot be read")
	}
	if err := f.open(sealed); err != nil {
		return nil, unknown("state: %w", err)
	}
	begun := time.Unix(f.Begun, 0)
	if age := s.now().Sub(begun); age >= FlowLifetime || age < -time.Minute {
		return nil, unknown("the sign-in was begun %v ago", age.Round(time.Second))
	}
	return f, nil
}

// open decrypts the part of a flow that state sealed.
func (f *flow) open(sealed string) error {
	seal, err := f.sealer()
	if err != nil {
		return err
	}
	data, err := encoding.DecodeString(sealed)
	if err != nil {
		return errors.New("not base64url")
	}
	text, err := seal.Open(nil, nil, data, []byte(f.id))
	if err != nil {
		return errors.New("sealed for another sign-in")
	}
	return json.Unmarshal(text, f)
}

// isFlowID reports whether s has the form of the ID of a flow.
func isFlowID(s string) bool {
	return len(s) == 20 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// cookie returns the field that gives the browser a flow's key, for as long as it
// may be used; an empty value deletes the cookie.
func (s *SignIn) cookie(id, value string) core.Field {
	c := http.Cookie{
		Name: s.cookieName(id), Value: value, Path: "/", MaxAge: int(FlowLifetime / time.Second),
		Secure: s.sessions.Cookie().Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	return core.Field{Name: "Set-Cookie", Value: c.String()}
}

// begun returns the fields that give the browser the key of f, and delete those of
// older sign-ins if it has too many.
func (s *SignIn) begun(r core.Request, f *flow) []core.Field {
	fields := []core.Field{s.cookie(f.id, encoding.EncodeToString(f.key))}
	line, _ := r.Header("Cookie")
	var ids []string
	for pair := range strings.SplitSeq(line, ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if id, ours := strings.CutPrefix(name, s.cookieName("")); ours && isFlowID(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids[:max(0, len(ids)-maxFlows+1)] {
		fields = append(fields, s.cookie(id, ""))
	}
	return fields
}

// usedName names the flow for UseOnce.
func (f *flow) usedName() string { return "openid flow " + f.id + " " + strconv.FormatInt(f.Begun, 10) }
