// Package digest implements the Digest scheme of RFC 7616.
//
// A client proves that it knows a password without sending it: it answers a nonce
// of the server with a hash over nonce, password, method and request target. Digest
// hides a password from eavesdroppers, but nothing else: it does not replace TLS.
//
// [New] offers SHA-256, and other algorithms only if [WithMoreAlgorithms] names
// them. The hashes of users' passwords are in a [Store], such as a [File] in the
// format of htdigest. The server keeps no state for a nonce until there is a right
// response to it, so unauthenticated requests take no memory.
package digest

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/option"
)

const scheme = "Digest"

// MaxBytes is the maximum length of an Authorization field, which includes the
// request target; a longer one is refused with 401.
const MaxBytes = 16 << 10

// The reasons that only this scheme gives.
const (
	// ReasonWrongRealm means that the credentials are for another realm.
	ReasonWrongRealm core.Reason = "wrong_realm"
	// ReasonForeignNonce means that this server did not make the nonce or its
	// opaque. It was edited, or belongs to another realm or to a server with
	// another [WithNonceKey], such as this one before a restart without one.
	ReasonForeignNonce core.Reason = "foreign_nonce"
)

// Authenticator is the Digest scheme. It implements [core.Authenticator], is
// created by [New] and is safe for concurrent use.
type Authenticator struct {
	realm      string
	store      Store
	hashes     UserHashStore        // nil unless userhash is offered
	algorithms []Algorithm          // offered, the preferred one first
	sealers    []*sealer            // the first seals nonces, all open them
	decoy      map[Algorithm]string // H(A1) that nobody has, to equalize the work
	counts     *counts
	shared     *sharedCounts // nil for none
	clock      func() time.Time
	start      time.Time
}

var _ core.Authenticator = (*Authenticator)(nil)

// New returns an authenticator with the given store. The realm is part of every
// stored hash, and clients show it when they ask for the password (RFC 9110 §11.5).
//
// The realm must be printable ASCII and not empty. A [File] must be for the same
// realm, and accept MD5 if and only if MD5 is offered.
func New(realm string, store Store, opts ...Option) (*Authenticator, error) {
	if realm == "" {
		return nil, errors.New("digest: empty realm: give it the one that the stored hashes were made with")
	}
	if isnil.Value(store) {
		return nil, errors.New("digest: store is nil: without one no password can be checked")
	}
	s := defaults()
	if err := option.Apply(s, opts); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	a := &Authenticator{
		realm:      realm,
		store:      store,
		algorithms: s.algorithms(),
		clock:      s.clock,
		start:      s.clock(),
	}
	if err := a.checkStore(s); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	for _, key := range append([][]byte{s.key}, s.previous...) {
		a.sealers = append(a.sealers, newSealer(key, realm))
	}
	a.counts = newCounts(s.maxNonces, s.lifetime, a.start.UnixNano())
	var err error
	if a.shared, err = newSharedCounts(s, realm); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	a.decoy = decoys(s.key, realm, a.algorithms)
	if _, err := a.challenges(false); err != nil { // all others differ only in the nonce
		return nil, fmt.Errorf("digest: %w", err)
	}
	return a, nil
}

// checkStore refuses a store with which some users could never sign in.
func (a *Authenticator) checkStore(s *settings) error {
	if f, ok := a.store.(*File); ok {
		if f.realm != a.realm {
			return fmt.Errorf("the file is for realm %q, not %q: every hash includes the realm", f.realm, a.realm)
		}
		if f.md5 != s.also[MD5] {
			return errors.New("MD5 is enabled in one place only: give WithMD5 to the file and WithMoreAlgorithms(MD5) to New, or neither (more_algorithms does both)")
		}
	}
	if !s.userHash {
		return nil
	}
	hashes, ok := a.store.(UserHashStore)
	if !ok {
		return fmt.Errorf("userhash: %T cannot find users by the hash of their name: it must be a UserHashStore", a.store)
	}
	a.hashes = hashes
	return nil
}

// Scheme implements [core.Authenticator]. A browser that knows a password answers
// challenges for every page that causes a request.
//
// The account of an attempt is the name as the client sent it. With [WithUserHash]
// it may also be a hash of the name, so that a limiter counts one user under the
// name and under a hash for each algorithm. It is "" for malformed credentials.
func (a *Authenticator) Scheme() core.Scheme {
	return core.Scheme{
		Name:    scheme,
		Sender:  core.SentByBrowser,
		Vary:    []string{"Authorization"},
		Attempt: attempt,
	}
}

func attempt(r core.Request) (account string, ok bool) {
	c, err := parseCredentials(r)
	if errors.Is(err, core.ErrNoCredentials) {
		return "", false
	}
	return c.user, true
}

// Challenges implements [core.Authenticator]. For a 401 it returns one challenge
// for each algorithm, preferred first, all with the same new nonce (RFC 7616 §3.7),
// and none otherwise.
//
// stale=true is added for an error with [core.ReasonStale]: Authenticate returns it
// only if the response was right for a nonce that may no longer be used, so that
// the client repeats the request without asking the user (RFC 7616 §3.3).
func (a *Authenticator) Challenges(_ core.Request, err error) []challenge.Challenge {
	stale := false
	if err != core.ErrNoCredentials { // the frequent case
		var bad *core.CredentialError
		refused := errors.As(err, &bad)
		if errors.Is(err, core.ErrAmbiguousCredentials) || !refused && !errors.Is(err, core.ErrNoCredentials) {
			return nil
		}
		stale = refused && bad.Reason == core.ReasonStale
	}
	cs, err := a.challenges(stale)
	if err != nil {
		return nil // cannot happen, since New has tried it; the guard has a fallback
	}
	return cs
}

// challenges makes a challenge for each algorithm. realm, nonce, opaque and qop
// are quoted, the others are not (RFC 7616 §3.3).
func (a *Authenticator) challenges(stale bool) ([]challenge.Challenge, error) {
	nonce := a.sealers[0].seal(a.counts.issue(a.now()))
	cs := make([]challenge.Challenge, 0, len(a.algorithms))
	for _, algorithm := range a.algorithms {
		params := make([]challenge.Param, 0, 8)
		params = append(params,
			challenge.Param{Name: "realm", Value: a.realm},
			challenge.Param{Name: "qop", Value: qopAuth},
			challenge.Param{Name: "algorithm", Value: string(algorithm), Bare: true},
			challenge.Param{Name: "nonce", Value: nonce},
			challenge.Param{Name: "opaque", Value: a.sealers[0].opaque},
			challenge.Param{Name: "charset", Value: "UTF-8", Bare: true})
		if a.hashes != nil {
			params = append(params, challenge.Param{Name: "userhash", Value: "true", Bare: true})
		}
		if stale {
			params = append(params, challenge.Param{Name: "stale", Value: "true", Bare: true})
		}
		c, err := challenge.New(scheme, params...)
		if err != nil {
			return nil, err
		}
		cs = append(cs, c)
	}
	return cs, nil
}

// now returns the time since the Unix epoch in nanoseconds. It advances by the
// monotonic clock, so that setting the system clock back revives no nonce.
func (a *Authenticator) now() int64 {
	return a.start.UnixNano() + int64(a.clock().Sub(a.start))
}
