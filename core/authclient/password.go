package authclient

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/option"
)

// password is the common part of [Basic] and [Digest].
type password struct {
	scheme       string
	user, secret string
	realm        string // "" for any
	preemptive   bool
	md5          bool
}

// PasswordOption configures [Basic] and [Digest].
type PasswordOption func(*password) error

// WithRealm answers challenges for one realm only (RFC 9110 §11.5). Without it
// every realm of the origins gets the password.
func WithRealm(realm string) PasswordOption {
	return func(p *password) error { return option.Set(&p.realm, realm, "realm is empty") }
}

// WithPreemptiveCredentials sends the password of [Basic] with the first request,
// which saves a 401 from each origin. It cannot be combined with [WithRealm].
func WithPreemptiveCredentials() PasswordOption {
	return func(p *password) error {
		return option.SetUnless(&p.preemptive, true, p.scheme != "Basic", "preemptive: %s needs a challenge first", p.scheme)
	}
}

// WithMD5 lets [Digest] answer a service that offers nothing better. An
// eavesdropper can then guess the password quickly.
func WithMD5() PasswordOption {
	return func(p *password) error {
		return option.SetUnless(&p.md5, true, p.scheme != "Digest", "MD5 is an algorithm of Digest")
	}
}

func newPassword(scheme, user, secret string, opts []PasswordOption) (password, error) {
	p := password{scheme: scheme, user: user, secret: secret}
	for what, s := range map[string]string{"user": user, "password": secret} {
		if s == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			return p, fmt.Errorf("authclient: %s: the %s is empty, not UTF-8, or has control characters: does it end with a line break?", scheme, what)
		}
	}
	if strings.Contains(user, ":") {
		return p, fmt.Errorf("authclient: %s: the user contains a colon, which ends the user in credentials", scheme)
	}
	if err := option.Apply(&p, opts); err != nil {
		return p, fmt.Errorf("authclient: %s: %w", scheme, err)
	}
	if p.preemptive && p.realm != "" {
		return p, errors.New("authclient: Basic: WithPreemptiveCredentials sends the password before the realm is known: use either it or WithRealm")
	}
	return p, nil
}

// Format keeps the password out of formatted output.
func (p *password) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, p.scheme+" credentials") }

// accepts reports whether c is a challenge that may be answered.
func (p *password) accepts(c challenge.Challenge) bool {
	realm, ok := c.Param("realm")
	return ok && (p.realm == "" || p.realm == realm)
}

// basic sends credentials to each origin that has asked for them.
type basic struct {
	password
	field string

	mu    sync.Mutex
	asked map[string]bool // by origin; as many as the transport has
}

// Basic returns a source of user and password for the Basic scheme (RFC 7617).
//
// They are sent after the origin has asked for them with a 401, and from then on
// with every request to it. If they get a 401, the request is not repeated. Basic
// does not answer Digest challenges, nor [Digest] those for Basic: if the service
// could choose between them, so could anyone on the path.
func Basic(user, secret string, opts ...PasswordOption) (Source, error) {
	p, err := newPassword("Basic", user, secret, opts)
	if err != nil {
		return nil, err
	}
	field := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
	return &basic{password: p, field: field, asked: map[string]bool{}}, nil
}

func (b *basic) Fields() []string { return []string{"Authorization"} }

func (b *basic) Authorize(r *http.Request) (Stamp, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.preemptive && !b.asked[originOf(r.URL)] {
		return 0, nil
	}
	r.Header.Set("Authorization", b.field)
	return 1, nil
}

func (b *basic) Answered(r *http.Request, a Answer) (again bool) {
	if a.Status != http.StatusUnauthorized {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.Stamp != 0 { // wrong
		delete(b.asked, originOf(r.URL))
		return false
	}
	if slices.ContainsFunc(named(a.Challenges, "Basic"), b.accepts) {
		b.asked[originOf(r.URL)] = true
		return true
	}
	return false
}
