package authclient

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/digest"
)

// digester has one session for each origin that has sent a challenge.
type digester struct {
	password

	mu       sync.Mutex
	last     Stamp
	sessions map[string]*session // by origin; as many as the transport has
}

// session is a challenge and the number of times it was answered.
type session struct {
	stamp         Stamp
	algorithm     digest.Algorithm
	realm, a1     string
	nonce, opaque string
	utf8, hashed  bool // the user's name may be in UTF-8; its hash is to be sent
	hasOpaque     bool
	count         uint32
	proven        bool // an answer to it was accepted
}

// Digest returns a source of user and password for the Digest scheme (RFC 7616),
// which proves the password without sending it.
//
// Of the challenges of a 401 it answers the one with the strongest algorithm: the
// first with SHA-256 or SHA-512-256, or MD5 only with [WithMD5]. It supports
// qop=auth only, no -sess variants, and no challenges without qop. The nonce is
// used for further requests, with a count. A 401 with stale=true, or for a nonce
// that has worked before, is answered once with the new nonce; any other means that
// the password is wrong.
func Digest(user, secret string, opts ...PasswordOption) (Source, error) {
	p, err := newPassword("Digest", user, secret, opts)
	if err != nil {
		return nil, err
	}
	return &digester{password: p, sessions: map[string]*session{}}, nil
}

func (d *digester) Fields() []string { return []string{"Authorization"} }

func (d *digester) Authorize(r *http.Request) (Stamp, error) {
	d.mu.Lock()
	s := d.sessions[originOf(r.URL)]
	if s == nil {
		d.mu.Unlock()
		return 0, nil
	}
	s.count++ // after the last number comes 0, which a service refuses with a new nonce
	now := *s
	d.mu.Unlock()
	field, err := d.answer(now, r)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", field)
	return now.stamp, nil
}

func (d *digester) Answered(r *http.Request, a Answer) (again bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	origin := originOf(r.URL)
	s := d.sessions[origin]
	current := s != nil && s.stamp == a.Stamp
	if a.Status != http.StatusUnauthorized {
		if current {
			s.proven = true
		}
		return false
	}
	if s != nil && !current {
		return !a.Repeated // another request has obtained a nonce meanwhile
	}
	next, stale := d.choose(a.Challenges)
	if next == nil || a.Stamp != 0 && !stale && (s == nil || !s.proven && next.realm == s.realm) {
		delete(d.sessions, origin)
		return false
	}
	d.last++
	next.stamp = d.last
	d.sessions[origin] = next
	return true
}

// choose returns a session for the challenge to answer, or nil.
func (d *digester) choose(cs []challenge.Challenge) (next *session, stale bool) {
	for _, c := range named(cs, "Digest") {
		s := d.sessionFor(c)
		if s == nil || next != nil && (next.algorithm != digest.MD5 || s.algorithm == digest.MD5) {
			continue
		}
		text, _ := c.Param("stale")
		next, stale = s, strings.EqualFold(text, "true")
	}
	return next, stale
}

// sessionFor returns a session for c, or nil if c cannot be answered.
func (d *digester) sessionFor(c challenge.Challenge) *session {
	s := &session{algorithm: d.algorithm(c)}
	qop, _ := c.Param("qop")
	if s.algorithm == "" || !d.accepts(c) || !holds(qop, "auth") {
		return nil
	}
	s.realm, _ = c.Param("realm")
	s.nonce, _ = c.Param("nonce")
	s.opaque, s.hasOpaque = c.Param("opaque")
	charset, _ := c.Param("charset")
	hashed, _ := c.Param("userhash")
	s.utf8, s.hashed = strings.EqualFold(charset, "UTF-8"), strings.EqualFold(hashed, "true")
	var err error
	if s.a1, err = digest.HashA1(s.algorithm, d.user, s.realm, d.secret); err != nil || s.nonce == "" {
		return nil
	}
	if _, err := d.answer(*s, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}}); err != nil {
		return nil // a realm or nonce that cannot be sent back
	}
	return s
}

// algorithm returns the algorithm of c, if it may be used. MD5 is the default (RFC
// 7616 §3.3).
func (d *digester) algorithm(c challenge.Challenge) digest.Algorithm {
	name, ok := c.Param("algorithm")
	switch {
	case strings.EqualFold(name, string(digest.SHA256)):
		return digest.SHA256
	case strings.EqualFold(name, string(digest.SHA512256)):
		return digest.SHA512256
	case d.md5 && (!ok || strings.EqualFold(name, string(digest.MD5))):
		return digest.MD5
	}
	return ""
}

// answer returns the Authorization field for r (RFC 7616 §3.4).
func (d *digester) answer(s session, r *http.Request) (string, error) {
	in := digest.Input{
		Method:      r.Method,
		URI:         r.URL.RequestURI(),
		Nonce:       s.nonce,
		Count:       fmt.Sprintf("%08x", s.count),
		ClientNonce: rand.Text(),
	}
	in.Method = cmp.Or(in.Method, http.MethodGet)
	params := append(d.name(s),
		challenge.Param{Name: "realm", Value: s.realm},
		challenge.Param{Name: "nonce", Value: s.nonce},
		challenge.Param{Name: "uri", Value: in.URI},
		challenge.Param{Name: "algorithm", Value: string(s.algorithm), Bare: true},
		challenge.Param{Name: "qop", Value: "auth", Bare: true},
		challenge.Param{Name: "nc", Value: in.Count, Bare: true},
		challenge.Param{Name: "cnonce", Value: in.ClientNonce},
		challenge.Param{Name: "response", Value: s.algorithm.Response(s.a1, in)})
	if s.hasOpaque {
		params = append(params, challenge.Param{Name: "opaque", Value: s.opaque})
	}
	c, err := challenge.New("Digest", params...)
	if err != nil {
		return "", errors.New("digest: the challenge, or the target of the request, cannot be sent back in a header field")
	}
	return c.String(), nil
}

// name returns the parameters that name the user (RFC 7616 §3.4.4). A non-ASCII
// name is sent in username*, which is always UTF-8 (RFC 8187 §3.2.1).
func (d *digester) name(s session) []challenge.Param {
	switch {
	case s.hashed:
		return []challenge.Param{
			{Name: "username", Value: digest.HashUser(s.algorithm, d.user, s.realm)},
			{Name: "userhash", Value: "true", Bare: true}}
	case s.utf8 && strings.ContainsFunc(d.user, func(r rune) bool { return r > '~' }):
		return []challenge.Param{{Name: "username*", Value: "UTF-8''" + extended(d.user), Bare: true}}
	}
	return []challenge.Param{{Name: "username", Value: d.user}}
}

// extended returns s with everything but letters, digits and -._~ percent-encoded.
func extended(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// holds reports whether a comma-separated list has a member, ignoring letter case.
func holds(list, member string) bool {
	for m := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(m, " \t"), member) {
			return true
		}
	}
	return false
}
