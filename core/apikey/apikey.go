// Package apikey authenticates programs by API keys, which are sent in a header of
// their own.
//
// A key is ID.secret, such as sp_k3m9x2q7ab. and 59 letters. The ID is public and
// names the key in files and logs; only a hash of the whole key is stored. Keys and
// their hashes are made by [Generate] or the command sallyport apikey, and looked
// up in a [Store], such as a [File].
package apikey

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/option"
)

// DefaultScheme is the name of the scheme unless [WithAuthorizationScheme] gives
// another. It is not a registered scheme.
const DefaultScheme = "ApiKey"

// ClaimID is the principal's claim that holds the ID of its key.
const ClaimID = "key_id"

// Store looks up keys. Implementations must be safe for concurrent use.
type Store interface {
	// LookupKey returns the key with the given ID, even if it is revoked or
	// expired. id has the form of an ID ([IsID]); nothing else is known about it.
	//
	// If there is no such key, the error is [ErrUnknownKey]. Any other error means
	// that the lookup failed, and results in 503, except a [core.InternalError],
	// which results in 500.
	LookupKey(ctx context.Context, id string) (*Key, error)
}

// ErrUnknownKey is returned by a [Store] for a key it does not have.
var ErrUnknownKey = errors.New("unknown key")

var errWrongSecret = errors.New("wrong secret")

// Authenticator authenticates API keys. It implements [core.Authenticator], is
// created by [New] and is safe for concurrent use.
type Authenticator struct {
	store      Store
	place      place
	others     []place
	now        func() time.Time
	decoy      Hash // compared in place of an unknown key's hash
	challenges []challenge.Challenge
}

var _ core.Authenticator = (*Authenticator)(nil)

// Option configures an [Authenticator].
type Option func(*Authenticator) error

// New returns an authenticator for the keys of s. The realm names the protected
// area in challenges; it must be printable ASCII and not empty.
//
// A key is read from exactly one place: the header field X-API-Key, unless
// [WithHeader], [WithAuthorizationScheme] or [WithQueryParameter] names another.
// The challenge says which, as in ApiKey realm="…", header="X-API-Key". The scheme
// is not a registered one, so no browser asks for a password.
func New(realm string, s Store, opts ...Option) (*Authenticator, error) {
	if realm == "" {
		return nil, errors.New("apikey: empty realm: give the protected area a name, such as \"api\"")
	}
	if isnil.Value(s) {
		return nil, errors.New("apikey: store is nil: keys are looked up in it")
	}
	a := &Authenticator{store: s, now: time.Now}
	if err := option.Apply(a, opts); err != nil {
		return nil, fmt.Errorf("apikey: %w", err)
	}
	if a.place == (place{}) {
		a.place = place{header, DefaultHeader}
	}
	a.others = otherPlaces(a.place)
	_, _ = rand.Read(a.decoy[:]) // never fails
	params := append([]challenge.Param{{Name: "realm", Value: realm}}, a.place.params()...)
	c, err := challenge.New(a.name(), params...)
	if err != nil {
		return nil, fmt.Errorf("apikey: %w", err)
	}
	a.challenges = []challenge.Challenge{c}
	return a, nil
}

// WithClock sets the clock, for tests; [time.Now] by default.
func WithClock(now func() time.Time) Option {
	return func(a *Authenticator) error { return option.Set(&a.now, now, "clock is nil") }
}

// Scheme implements [core.Authenticator]. The name is [DefaultScheme], or what
// [WithAuthorizationScheme] says.
//
// Vary is the field that the key is read from; it is empty with
// [WithQueryParameter], since caches go by the query anyway. Places where a key is
// not allowed are left out: they can only lead to a refusal, which is not stored.
// The account of an attempt is the ID of the key, or "" if the key is malformed.
func (a *Authenticator) Scheme() core.Scheme {
	return core.Scheme{
		Name:    a.name(),
		Sender:  core.SentByClient,
		Vary:    a.place.vary(),
		Attempt: a.attempt,
	}
}

func (a *Authenticator) name() string {
	if a.place.kind == authorization {
		return a.place.name
	}
	return DefaultScheme
}

// Authenticate implements [core.Authenticator].
//
// If the place is empty, the error is [core.ErrNoCredentials], whatever other
// places hold. If the place occurs twice, or any other place that this package
// knows occurs twice or holds a second key, it is [core.ErrAmbiguousCredentials].
//
// A [core.CredentialError] has one of these reasons, which only events reveal:
// [core.ReasonMalformed] for a wrong form or checksum,
// [core.ReasonUnknownPrincipal] for an unknown ID, [core.ReasonWrongSecret], and
// for an otherwise correct key [core.ReasonRevoked] and [core.ReasonExpired].
// Hashes are compared in constant time, and for an unknown ID one is compared too.
// The store is asked for every request.
//
// The principal's ID is that of the key's owner, and its claim [ClaimID] is the ID
// of the key.
func (a *Authenticator) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	value, n := a.place.value(r)
	if n == 0 {
		return nil, core.ErrNoCredentials
	}
	if n > 1 {
		return nil, fmt.Errorf("apikey: %w: %s is sent %d times", core.ErrAmbiguousCredentials, a.place, n)
	}
	id, ok := parse(value)
	if !ok {
		return nil, refused(core.ReasonMalformed, errors.New("apikey: malformed key, or its checksum is wrong"))
	}
	for _, other := range a.others {
		if second, n := other.value(r); n > 1 || isKey(second) {
			return nil, fmt.Errorf("apikey: %w: a second key in %s", core.ErrAmbiguousCredentials, other)
		}
	}
	key, err := a.store.LookupKey(ctx, id)
	unknown := isUnknown(err)
	switch {
	case err != nil && !unknown:
		return nil, storeError(err)
	case !unknown && key == nil:
		return nil, &core.InternalError{Err: errors.New("apikey: the store returned neither key nor error")}
	}
	return a.verify(value, id, key, unknown)
}

// verify compares hashes whether or not the key is known, and checks the state of a
// key last, so that an ID alone reveals nothing about the key.
func (a *Authenticator) verify(value, id string, key *Key, unknown bool) (*core.Principal, error) {
	want := &a.decoy
	if !unknown {
		want = &key.info.Hash
	}
	got := hashOf(value)
	right := subtle.ConstantTimeCompare(got[:], want[:]) == 1
	switch {
	case unknown:
		return nil, refused(core.ReasonUnknownPrincipal, fmt.Errorf("apikey: %s: %w", id, ErrUnknownKey))
	case !right:
		return nil, refused(core.ReasonWrongSecret, fmt.Errorf("apikey: %s: %w", id, errWrongSecret))
	case !key.info.Revoked.IsZero():
		return nil, refused(core.ReasonRevoked, fmt.Errorf("apikey: %s of %q: revoked at %s", id, key.info.Owner, strings.TrimSpace(stamp(key.info.Revoked)+" "+key.info.RevokedReason)))
	case key.Expired(a.now()):
		return nil, refused(core.ReasonExpired, fmt.Errorf("apikey: %s of %q: expired at %s", id, key.info.Owner, stamp(key.info.Expires)))
	}
	return key.principal, nil
}

// Challenges implements [core.Authenticator]. It returns the same challenge for
// every 401, and none otherwise.
func (a *Authenticator) Challenges(_ core.Request, err error) []challenge.Challenge {
	if err == core.ErrNoCredentials { // the frequent case, without allocating
		return a.challenges
	}
	if !errors.Is(err, core.ErrAmbiguousCredentials) && (errors.Is(err, core.ErrNoCredentials) || errtype.In[*core.CredentialError](err)) {
		return a.challenges
	}
	return nil
}

func (a *Authenticator) attempt(r core.Request) (account string, ok bool) {
	value, n := a.place.value(r)
	if n == 0 {
		return "", false
	}
	account, _ = parse(value)
	return account, true
}

// refused returns the error for a 401. All refusals look the same to the client.
func refused(reason core.Reason, cause error) error {
	return &core.CredentialError{Reason: reason, Code: core.CodeInvalidCredentials, Err: cause}
}

// isUnknown reports whether err says that a store has no such key, and nothing
// else.
func isUnknown(err error) bool {
	// The first comparison is a fast path for the usual case.
	return err == ErrUnknownKey || errors.Is(err, ErrUnknownKey) && !isFailure(err)
}

// isFailure reports whether an error wraps an outage or a fault, whatever else it
// wraps.
func isFailure(err error) bool {
	return errtype.In[*core.UnavailableError](err) || errtype.In[*core.InternalError](err)
}

// storeError maps a store's error to what a guard expects. A store cannot say that
// there were no credentials, or bad ones, before the secret is checked.
func storeError(err error) error {
	if isFailure(err) {
		return err
	}
	return &core.UnavailableError{Err: fmt.Errorf("apikey: look up key: %w", err)}
}
