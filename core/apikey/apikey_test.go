package apikey

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// request is a request with header lines and query parameters.
type request struct {
	core.Request
	header map[string][]string
	query  map[string][]string
}

func first(values []string) (string, int) {
	if len(values) == 0 {
		return "", 0
	}
	return values[0], len(values)
}

func (r *request) Header(name string) (string, int) { return first(r.header[name]) }
func (r *request) Query(name string) (string, int)  { return first(r.query[name]) }

// with is a request with a key in the default header.
func with(key string) *request {
	return &request{header: map[string][]string{DefaultHeader: {key}}}
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// made is a key and what is kept of it.
func made(t testing.TB, change func(*Info)) (string, *Key) {
	t.Helper()
	key, id, hash := Generate()
	info := Info{ID: id, Hash: hash, Owner: "ci-bot"}
	if change != nil {
		change(&info)
	}
	k, err := NewKey(info)
	if err != nil {
		t.Fatal(err)
	}
	return key, k
}

// lookup is a store that always answers alike.
type lookup struct {
	key *Key
	err error
}

func (l lookup) LookupKey(context.Context, string) (*Key, error) { return l.key, l.err }

// stored is a store of keys by their IDs.
type stored map[string]*Key

func (s stored) LookupKey(_ context.Context, id string) (*Key, error) {
	if k := s[id]; k != nil {
		return k, nil
	}
	return nil, ErrUnknownKey
}

func storeOf(keys ...*Key) stored {
	s := stored{}
	for _, k := range keys {
		s[k.info.ID] = k
	}
	return s
}

func mustNew(t testing.TB, s Store, opts ...Option) *Authenticator {
	t.Helper()
	a, err := New("api", s, append([]Option{WithClock(func() time.Time { return noon })}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wantRefusal checks that err is a 401 with the reason, and that the challenge
// goes with it.
func wantRefusal(t *testing.T, a *Authenticator, r core.Request, err error, reason core.Reason) {
	t.Helper()
	var bad *core.CredentialError
	if !errors.As(err, &bad) || bad.Reason != reason || bad.Code != core.CodeInvalidCredentials || bad.Description != "" {
		t.Errorf("%v, want a refusal with reason %s", err, reason)
	}
	if len(a.Challenges(r, err)) != 1 {
		t.Error("no challenge")
	}
}

func TestPrincipalIsTheOwner(t *testing.T) {
	expires := noon.Add(time.Hour)
	key, k := made(t, func(i *Info) {
		i.Roles, i.Scopes, i.Tenant, i.Expires = []string{"editor", "viewer"}, []string{"read"}, "globex", expires
	})
	p, err := mustNew(t, storeOf(k)).Authenticate(t.Context(), with(key))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := p.Claim(ClaimID)
	if p.ID() != "ci-bot" || id != k.info.ID || p.Tenant() != "globex" || !p.Expires().Equal(expires) ||
		!slices.Equal(slices.Collect(p.Roles()), []string{"editor", "viewer"}) || !p.HasScope("read") {
		t.Errorf("principal %+v", p)
	}
}

// F01, F02 and F04: what operators are told; the answer is one and the same.
func TestRefusals(t *testing.T) {
	good, known := made(t, nil)
	stranger, _ := made(t, nil)
	revoked, r := made(t, func(i *Info) { i.Revoked, i.RevokedReason = noon.Add(time.Hour), "lost" })
	expired, e := made(t, func(i *Info) { i.Expires = noon })
	both, b := made(t, func(i *Info) { i.Expires, i.Revoked = noon, noon })
	alive, l := made(t, func(i *Info) { i.Expires = noon.Add(time.Second) })
	a := mustNew(t, storeOf(known, r, e, b, l))
	forged := func(key string) string { return forge(key, 'a') }
	for _, c := range []struct {
		name, key string
		reason    core.Reason
	}{
		{"unknown ID", stranger, core.ReasonUnknownPrincipal},
		{"wrong secret", forged(good), core.ReasonWrongSecret},
		{"wrong secret of a revoked key", forged(revoked), core.ReasonWrongSecret},
		{"wrong secret of an expired key", forged(expired), core.ReasonWrongSecret},
		{"revoked, be it in the future", revoked, core.ReasonRevoked},
		{"expired in this second", expired, core.ReasonExpired},
		{"revoked before expired", both, core.ReasonRevoked},
		{"empty", "", core.ReasonMalformed},
		{"the ID alone", known.info.ID, core.ReasonMalformed},
		{"without its last letter", good[:len(good)-1], core.ReasonMalformed},
		{"with one more", good + "a", core.ReasonMalformed},
		{"one letter of the secret mistyped", mistyped(good, idBytes+5), core.ReasonMalformed},
		{"one letter of the ID mistyped", mistyped(good, 5), core.ReasonMalformed},
		{"capitals", strings.ToUpper(good), core.ReasonMalformed},
		{"another prefix", "xx_" + good[3:], core.ReasonMalformed},
		{"no dot", strings.Replace(good, ".", "a", 1), core.ReasonMalformed},
		{"two in one line", good + ", " + good, core.ReasonMalformed},
		{"a scheme in front", "ApiKey " + good, core.ReasonMalformed},
		{"NUL", good[:len(good)-1] + "\x00", core.ReasonMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := with(c.key)
			p, err := a.Authenticate(t.Context(), r)
			if p != nil {
				t.Error("there is a principal")
			}
			wantRefusal(t, a, r, err, c.reason)
			if len(c.key) > 30 && strings.Contains(err.Error(), c.key[idBytes:]) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
	for key, cause := range map[string]string{revoked: "revoked at " + stamp(noon.Add(time.Hour)) + " lost", both: "revoked at " + stamp(noon)} {
		if _, err := a.Authenticate(t.Context(), with(key)); !strings.HasSuffix(err.Error(), cause) {
			t.Errorf("%v, want a cause that ends in %q", err, cause)
		}
	}
	for _, key := range []string{good, alive} {
		if _, err := a.Authenticate(t.Context(), with(key)); err != nil {
			t.Errorf("a good key: %v", err)
		}
	}
}

// forge is a key of the same ID with a secret of one letter and the checksum to
// match.
func forge(key string, letter byte) string {
	return summed(key[:idBytes+1] + strings.Repeat(string(letter), secretLetters))
}

// summed is text with its checksum.
func summed(text string) string {
	sum := checksum(text)
	return text + string(sum[:])
}

// mistyped is a key with another letter at i.
func mistyped(key string, i int) string {
	letter := "a"
	if key[i] == 'a' {
		letter = "b"
	}
	return key[:i] + letter + key[i+1:]
}

// F01: every letter of the secret counts.
func TestEveryLetterCounts(t *testing.T) {
	key, k := made(t, nil)
	a := mustNew(t, storeOf(k))
	for i := idBytes + 1; i < keyBytes-checkLetters; i++ {
		r := with(summed(mistyped(key, i)[:keyBytes-checkLetters]))
		_, err := a.Authenticate(t.Context(), r)
		wantRefusal(t, a, r, err, core.ReasonWrongSecret)
	}
}

// F02: the comparison for an unknown key lets nobody in even if it is equal.
func TestDecoyIsNoKey(t *testing.T) {
	key, _ := made(t, nil)
	a := mustNew(t, storeOf())
	a.decoy = hashOf(key)
	r := with(key)
	_, err := a.Authenticate(t.Context(), r)
	wantRefusal(t, a, r, err, core.ReasonUnknownPrincipal)
	if another := mustNew(t, storeOf()); another.decoy == mustNew(t, storeOf()).decoy {
		t.Error("two authenticators have the same decoy")
	}
}

func TestOnly401HasAChallenge(t *testing.T) {
	a := mustNew(t, storeOf())
	for _, c := range []struct {
		err  error
		want int
	}{
		{core.ErrNoCredentials, 1},
		{errors.Join(core.ErrNoCredentials), 1},
		{&core.CredentialError{Reason: core.ReasonRevoked}, 1},
		{core.ErrAmbiguousCredentials, 0},
		{&core.CredentialError{Err: core.ErrAmbiguousCredentials}, 0},
		{&core.ScopeError{}, 0},
		{&core.StepUpError{}, 0},
		{&core.UnavailableError{}, 0},
	} {
		if n := len(a.Challenges(&request{}, c.err)); n != c.want {
			t.Errorf("%T: %d challenges", c.err, n)
		}
	}
}

// A store that fails logs nobody out, whatever its error pretends.
func TestStoreFailures(t *testing.T) {
	key, _ := made(t, nil)
	down := &core.UnavailableError{RetryAfter: time.Minute, Err: errors.New("down")}
	var unavailable *core.UnavailableError
	for _, err := range []error{
		errors.New("down"), context.DeadlineExceeded, core.ErrNoCredentials, core.ErrAmbiguousCredentials,
		&core.CredentialError{Reason: core.ReasonExpired}, down, errors.Join(ErrUnknownKey, down), errNotLoaded,
	} {
		_, got := mustNew(t, lookup{err: err}).Authenticate(t.Context(), with(key))
		if !errors.As(got, &unavailable) || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
	if _, err := mustNew(t, lookup{err: down}).Authenticate(t.Context(), with(key)); !errors.As(err, &unavailable) || unavailable.RetryAfter != time.Minute {
		t.Errorf("RetryAfter is lost: %v", err)
	}
	var internal *core.InternalError
	for _, l := range []lookup{{}, {err: &core.InternalError{Err: errors.New("x")}}} {
		if _, err := mustNew(t, l).Authenticate(t.Context(), with(key)); !errors.As(err, &internal) {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

func TestAttemptNamesTheKey(t *testing.T) {
	key, k := made(t, nil)
	a := mustNew(t, storeOf())
	for _, c := range []struct {
		r       core.Request
		account string
		ok      bool
	}{
		{with(key), k.info.ID, true},
		{with(forge(key, 'a')), k.info.ID, true},
		{with("junk"), "", true},
		{with(mistyped(key, 20)), "", true},
		{&request{}, "", false},
		{&request{query: map[string][]string{"api_key": {key}}}, "", false},
	} {
		if account, ok := a.Scheme().Attempt(c.r); account != c.account || ok != c.ok {
			t.Errorf("%v: %q %v", c.r, account, ok)
		}
	}
	if a.Scheme().Sender != core.SentByClient {
		t.Error("no browser adds keys by itself")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		says, realm string
		s           Store
		opts        []Option
	}{
		{"empty realm", "", storeOf(), nil},
		{"printable ASCII", "caf\u00e9", storeOf(), nil},
		{"store is nil", "r", nil, nil},
		{"store is nil", "r", (*File)(nil), nil},
		{"store is nil", "r", stored(nil), nil},
		{"option 2 is nil", "r", storeOf(), []Option{WithHeader("X"), nil}},
		{"clock is nil", "r", storeOf(), []Option{WithClock(nil)}},
		{"two places for keys, header X and the query", "r", storeOf(), []Option{WithHeader("X"), WithQueryParameter("k")}},
		{`header "": use letters`, "r", storeOf(), []Option{WithHeader("")}},
		{`header "X_Y"`, "r", storeOf(), []Option{WithHeader("X_Y")}},
		{"use WithAuthorizationScheme", "r", storeOf(), []Option{WithHeader("authorization")}},
		{"header Cookie", "r", storeOf(), []Option{WithHeader("cookie")}},
		{"scheme Bearer is for other", "r", storeOf(), []Option{WithAuthorizationScheme("bearer")}},
		{"scheme DPoP is for other", "r", storeOf(), []Option{WithAuthorizationScheme("dpop")}},
		{`scheme "a b"`, "r", storeOf(), []Option{WithAuthorizationScheme("a b")}},
		{`query parameter "k&"`, "r", storeOf(), []Option{WithQueryParameter("k&")}},
	} {
		a, err := New(c.realm, c.s, c.opts...)
		if err == nil || a != nil || !strings.HasPrefix(err.Error(), "apikey: ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v does not say %q", err, c.says)
		}
	}
}

func TestAuthenticateAllocatesNothing(t *testing.T) {
	key, k := made(t, nil)
	a, ctx := mustNew(t, storeOf(k)), t.Context()
	good, none := with(key), &request{}
	if n := testing.AllocsPerRun(100, func() {
		if p, _ := a.Authenticate(ctx, good); p == nil {
			t.Error("refused")
		}
		if _, err := a.Authenticate(ctx, none); len(a.Challenges(none, err)) != 1 {
			t.Error("no challenge")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
