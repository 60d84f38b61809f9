package basic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// store is a verifier that counts: it knows one user, whose password, end and
// version can be changed.
type store struct {
	user, password string
	expires        time.Time
	asked          atomic.Int64
	number         atomic.Uint64
}

func (s *store) VerifyPassword(_ context.Context, user, password string) (*core.Principal, error) {
	s.asked.Add(1)
	switch {
	case user != s.user:
		return nil, ErrUnknownUser
	case password != s.password:
		return nil, ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user, Expires: s.expires})
}

func (s *store) Version() uint64             { return s.number.Load() }
func (s *store) Spelling(user string) string { return strings.ToLower(user) }

// clock is a time that tests move.
type clock struct{ atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.Load()) }
func (c *clock) advance(d time.Duration) { c.Add(int64(d)) }

func newClock() *clock {
	c := new(clock)
	c.Store(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func mustCache(t testing.TB, v Verifier, opts ...CacheOption) *Cache {
	t.Helper()
	c, err := NewCache(v, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// try verifies and checks what comes of it and how often the store was asked
// for it.
func (s *store) try(t *testing.T, c *Cache, user, password string, want error, asked int64) {
	t.Helper()
	before := s.asked.Load()
	p, err := c.VerifyPassword(t.Context(), user, password)
	if !errors.Is(err, want) || (p != nil) != (want == nil) || p != nil && p.ID() != user {
		t.Errorf("%s:%s: %v, %v; want %v", user, password, p, err, want)
	}
	if n := s.asked.Load() - before; n != asked {
		t.Errorf("%s:%s: the store was asked %d times, want %d", user, password, n, asked)
	}
}

func TestOnlyRightPasswordsAreRemembered(t *testing.T) {
	s := &store{user: "alice", password: "secret"}
	c := mustCache(t, s)
	s.try(t, c, "alice", "secret", nil, 1)
	s.try(t, c, "alice", "secret", nil, 0)
	for range 2 {
		s.try(t, c, "alice", "Secret", ErrWrongPassword, 1)
		s.try(t, c, "bob", "secret", ErrUnknownUser, 1)
	}
	s.try(t, c, "alice", "secret", nil, 0)
}

func TestPasswordsAreRememberedForAWhile(t *testing.T) {
	for _, c := range []struct {
		name    string
		opts    []CacheOption
		expires time.Duration // of the principal, 0 for never
		want    time.Duration
	}{
		{"30 s by default", nil, 0, 30 * time.Second},
		{"by the option", []CacheOption{WithCacheTTL(time.Minute)}, 0, time.Minute},
		{"no longer than the principal", []CacheOption{WithCacheTTL(time.Minute)}, 10 * time.Second, 10 * time.Second},
		{"no longer than the option", nil, time.Hour, 30 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := newClock()
			s := &store{user: "alice", password: "secret"}
			if c.expires != 0 {
				s.expires = now.now().Add(c.expires)
			}
			known := mustCache(t, s, append(c.opts, WithClock(now.now))...)
			s.try(t, known, "alice", "secret", nil, 1)
			now.advance(c.want / 2)
			s.try(t, known, "alice", "secret", nil, 0)
			now.advance(c.want - c.want/2 - 1)
			s.try(t, known, "alice", "secret", nil, 0)
			now.advance(1)
			s.try(t, known, "alice", "secret", nil, 1)
		})
	}
}

func TestAPrincipalThatHasExpiredIsNotRemembered(t *testing.T) {
	now := newClock()
	s := &store{user: "alice", password: "secret", expires: now.now()}
	c := mustCache(t, s, WithClock(now.now))
	s.try(t, c, "alice", "secret", nil, 1)
	s.try(t, c, "alice", "secret", nil, 1)
}

// C10: neither the colon nor anything else moves between user and password.
func TestC10OtherCredentialsAreNeverTakenForRememberedOnes(t *testing.T) {
	s := &store{user: "a", password: "b:c"}
	c := mustCache(t, s)
	s.try(t, c, "a", "b:c", nil, 1)
	for _, other := range [][2]string{
		{"a:b", "c"}, {"a:", "b:c"}, {"ab", ":c"}, {"", "ab:c"}, {"ab:c", ""}, {"b:c", "a"},
		{"a", "b:c\x00"}, {"a\x00", "b:c"}, {"a", "b"}, {"a", "b:"}, {"A", "b:c"}, {"a", "B:c"},
	} {
		if c.keyOf(other[0], other[1]) == c.keyOf("a", "b:c") {
			t.Errorf("%q has the key of a and b:c", other)
		}
		p, err := c.VerifyPassword(t.Context(), other[0], other[1])
		if p != nil || err == nil {
			t.Errorf("%q passes as a", other)
		}
	}
	long := strings.Repeat("x", 5000)
	if c.keyOf("a", long) == c.keyOf("a", long[1:]) || c.keyOf("a", long+"y") == c.keyOf("a", long+"z") {
		t.Error("the password is not hashed whole")
	}
}

// C10: the key of one process is of no use in another.
func TestC10KeysAreKeyed(t *testing.T) {
	one, two := mustCache(t, &store{}), mustCache(t, &store{})
	if one.keyOf("a", "b") == two.keyOf("a", "b") {
		t.Error("two caches have the same key")
	}
}

func TestAChangeOfPasswordsCountsFromTheNextRequestOn(t *testing.T) {
	s := &store{user: "alice", password: "secret"}
	c := mustCache(t, s)
	s.try(t, c, "alice", "secret", nil, 1)
	s.user = "bob"
	s.number.Add(1)
	s.try(t, c, "alice", "secret", ErrUnknownUser, 1)
	s.try(t, c, "bob", "secret", nil, 1)
	s.try(t, c, "bob", "secret", nil, 0)
	if c.Version() != 1 {
		t.Errorf("version %d", c.Version())
	}
}

// A password that is found right while the file changes counts for the file
// that was there before.
func TestAChangeDuringAVerificationIsNotMissed(t *testing.T) {
	s := &store{user: "alice", password: "secret"}
	c := mustCache(t, versioned{s, func() { s.number.Add(1) }})
	s.try(t, c, "alice", "secret", nil, 1)
	s.try(t, c, "alice", "secret", nil, 1)
}

// versioned changes its store while it verifies.
type versioned struct {
	*store
	change func()
}

func (v versioned) VerifyPassword(ctx context.Context, user, password string) (*core.Principal, error) {
	p, err := v.store.VerifyPassword(ctx, user, password)
	v.change()
	return p, err
}

func TestClearForgets(t *testing.T) {
	s := &store{user: "alice", password: "secret"}
	plain := VerifierFunc(s.VerifyPassword) // without a version
	c := mustCache(t, plain)
	s.try(t, c, "alice", "secret", nil, 1)
	s.user = "bob"
	s.try(t, c, "alice", "secret", nil, 0)
	c.Clear()
	s.try(t, c, "alice", "secret", ErrUnknownUser, 1)
	if c.Version() != 0 || c.Spelling("Alice") != "Alice" {
		t.Errorf("version %d, spelling %q of a plain function", c.Version(), c.Spelling("Alice"))
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	verify := func(_ context.Context, user, _ string) (*core.Principal, error) {
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}
	var asked atomic.Int64
	c := mustCache(t, VerifierFunc(func(ctx context.Context, user, password string) (*core.Principal, error) {
		asked.Add(1)
		return verify(ctx, user, password)
	}), WithCacheSize(8))
	for range 2 {
		for n := range 1000 {
			if p, err := c.VerifyPassword(t.Context(), fmt.Sprint(n), "x"); err != nil || p.ID() != fmt.Sprint(n) {
				t.Fatalf("user %d is %v, %v", n, p, err)
			}
		}
	}
	if n := asked.Load(); n < 1992 {
		t.Errorf("of 2000 requests %d were verified: more than 8 are remembered", n)
	}
}

func TestNewCacheRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		v    Verifier
		opt  CacheOption
		says string
	}{
		{"no verifier", nil, WithCacheTTL(1), "verifier is nil"},
		{"a nil pointer", (*store)(nil), WithCacheTTL(1), "verifier is nil"},
		{"no time", &store{}, WithCacheTTL(0), "cache TTL 0s"},
		{"much time", &store{}, WithCacheTTL(10*time.Minute + 1), "at most 10m0s"},
		{"no room", &store{}, WithCacheSize(0), "size 0"},
		{"much room", &store{}, WithCacheSize(1<<20 + 1), "size 1048577"},
		{"no clock", &store{}, WithClock(nil), "clock is nil"},
		{"a nil option", &store{}, nil, "option 1 is nil"},
	} {
		if _, err := NewCache(c.v, c.opt); err == nil || !strings.HasPrefix(err.Error(), "basic: cache: ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.says)
		}
	}
}

func TestNobodyIsNotRemembered(t *testing.T) {
	var asked int
	c := mustCache(t, VerifierFunc(func(context.Context, string, string) (*core.Principal, error) {
		asked++
		return nil, nil
	}))
	for range 2 {
		if p, err := c.VerifyPassword(t.Context(), "a", "b"); p != nil || err != nil {
			t.Errorf("%v, %v", p, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func BenchmarkCacheHit(b *testing.B) {
	c := mustCache(b, &store{user: "alice", password: "secret"}, WithCacheTTL(10*time.Minute))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.VerifyPassword(b.Context(), "alice", "secret"); err != nil {
			b.Fatal(err)
		}
	}
}

// A wrong password is a miss each time, since it is not kept.
func TestLookUpsOfPasswordsAreCounted(t *testing.T) {
	c := mustCache(t, &store{user: "ann", password: "right"})
	for _, password := range []string{"right", "right", "right", "wrong", "wrong"} {
		_, _ = c.VerifyPassword(t.Context(), "ann", password)
	}
	if got, want := c.Stats(), (core.CacheStats{Hits: 2, Misses: 3, Entries: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if c.Clear(); c.Stats().Entries != 0 {
		t.Errorf("cleared: %+v", c.Stats())
	}
}
