package revoke_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	one   = "https://one.example"
	other = "https://other.example"
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func list(t testing.TB, opts ...revoke.Option) (*revoke.List, *clock) {
	t.Helper()
	c := &clock{now: noon}
	l, err := revoke.New(append([]revoke.Option{revoke.WithClock(c.read)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return l, c
}

func isRevoked(t testing.TB, c revoke.Checker, tok revoke.Token) bool {
	t.Helper()
	revoked, err := c.Revoked(context.Background(), tok)
	if err != nil {
		t.Fatal(err)
	}
	return revoked
}

// What an entry revokes is the same whether it was added or loaded.
func TestWhatAnEntryRevokes(t *testing.T) {
	tok := revoke.Token{Issuer: one, ID: "j", Subject: "alice", IssuedAt: noon.Add(-time.Hour), Expires: noon.Add(time.Hour)}
	change := func(f func(*revoke.Token)) revoke.Token {
		out := tok
		f(&out)
		return out
	}
	for _, tc := range []struct {
		name  string
		entry revoke.Entry
		token revoke.Token
		want  bool
	}{
		{"identifier", revoke.Entry{ID: "j"}, tok, true},
		{"another identifier", revoke.Entry{ID: "J"}, tok, false},
		{"identifier at its issuer", revoke.Entry{ID: "j", Issuer: one}, tok, true},
		{"identifier at another issuer", revoke.Entry{ID: "j", Issuer: other}, tok, false},
		{"identifier that is a subject", revoke.Entry{ID: "alice"}, tok, false},
		{"a token without identifier", revoke.Entry{ID: "j"}, change(func(t *revoke.Token) { t.ID = "" }), false},
		{"before the entry ends", revoke.Entry{ID: "j", Expires: noon.Add(1)}, tok, true},
		{"subject", revoke.Entry{Subject: "alice", IssuedBefore: noon}, tok, true},
		{"another subject", revoke.Entry{Subject: "Alice", IssuedBefore: noon}, tok, false},
		{"subject at another issuer", revoke.Entry{Subject: "alice", Issuer: other, IssuedBefore: noon}, tok, false},
		{"issued at that moment", revoke.Entry{Subject: "alice", IssuedBefore: noon.Add(-time.Hour)}, tok, true},
		{"issued a moment later", revoke.Entry{Subject: "alice", IssuedBefore: noon.Add(-time.Hour - 1)}, tok, false},
		{"subject, issued who knows when", revoke.Entry{Subject: "alice", IssuedBefore: noon.AddDate(-9, 0, 0)},
			change(func(t *revoke.Token) { t.IssuedAt = time.Time{} }), true},
		{"subject, a token without expiry", revoke.Entry{Subject: "alice", IssuedBefore: noon},
			change(func(t *revoke.Token) { t.Expires = time.Time{} }), true},
		{"everybody", revoke.Entry{All: true, IssuedBefore: noon}, tok, true},
		{"everybody at the issuer", revoke.Entry{All: true, Issuer: one, IssuedBefore: noon}, tok, true},
		{"everybody at another issuer", revoke.Entry{All: true, Issuer: other, IssuedBefore: noon}, tok, false},
		{"everybody, issued later", revoke.Entry{All: true, IssuedBefore: noon.Add(-2 * time.Hour)}, tok, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			added, _ := list(t)
			if err := added.Revoke(tc.entry); err != nil {
				t.Fatal(err)
			}
			loaded, _ := list(t)
			if err := loaded.Load("revoked", []byte(tc.entry.String())); err != nil {
				t.Fatal(err)
			}
			if got := isRevoked(t, added, tc.token); got != tc.want {
				t.Errorf("added: %v, want %v", got, tc.want)
			}
			if got := isRevoked(t, loaded, tc.token); got != tc.want {
				t.Errorf("loaded: %v, want %v", got, tc.want)
			}
		})
	}
}

// Two entries for the same are worth what both are worth.
func TestEntriesAddUp(t *testing.T) {
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	at := func(n int) revoke.Token {
		return revoke.Token{Issuer: one, ID: "j", Subject: "alice", IssuedAt: hour(n)}
	}
	for _, kind := range []revoke.Entry{{Subject: "alice"}, {All: true}} {
		for _, turned := range []bool{false, true} {
			l, c := list(t)
			soon, late := kind, kind
			soon.IssuedBefore, soon.Expires = hour(-1), hour(1)
			late.IssuedBefore, late.Expires = hour(-3), hour(3)
			both := []revoke.Entry{soon, late}
			if turned {
				both[0], both[1] = late, soon
			}
			for _, e := range append(both, both...) {
				if err := l.Revoke(e); err != nil {
					t.Fatal(err)
				}
			}
			if l.Len() != 2 || !isRevoked(t, l, at(-1)) || !isRevoked(t, l, at(-3)) {
				t.Errorf("%v: at first %d entries, %v, %v", kind, l.Len(), isRevoked(t, l, at(-1)), isRevoked(t, l, at(-3)))
			}
			c.set(hour(1))
			if isRevoked(t, l, at(-1)) || !isRevoked(t, l, at(-3)) {
				t.Errorf("%v: after an hour %v, %v", kind, isRevoked(t, l, at(-1)), isRevoked(t, l, at(-3)))
			}
			all := kind
			all.IssuedBefore = hour(0)
			if err := l.Revoke(all); err != nil {
				t.Fatal(err)
			}
			c.set(hour(9999))
			if l.Len() != 1 || !isRevoked(t, l, at(0)) {
				t.Errorf("%v: %d entries, one of which covers all", kind, l.Len())
			}
		}
	}
	l, c := list(t)
	for _, until := range []time.Time{hour(2), hour(1), {}, hour(3)} {
		if err := l.Revoke(revoke.Entry{ID: "j", Expires: until}); err != nil {
			t.Fatal(err)
		}
	}
	c.set(hour(9999))
	if l.Len() != 1 || !isRevoked(t, l, at(0)) {
		t.Error("an identifier that was revoked for ever came back")
	}
}

func TestExpiredEntriesAreForgotten(t *testing.T) {
	l, c := list(t, revoke.WithMaxEntries(10))
	for i := range 9 {
		must(t, l.Revoke(revoke.Entry{ID: fmt.Sprint(i), Expires: noon.Add(time.Minute)}))
	}
	must(t, l.Revoke(revoke.Entry{Subject: "alice", IssuedBefore: noon, Expires: noon.Add(time.Minute)}))
	if err := l.Revoke(revoke.Entry{ID: "more"}); !errors.Is(err, revoke.ErrFull) {
		t.Errorf("error %v, want ErrFull", err)
	}
	if isRevoked(t, l, revoke.Token{ID: "more"}) || !isRevoked(t, l, revoke.Token{ID: "0"}) {
		t.Error("an entry made room for another")
	}
	c.set(noon.Add(time.Minute))
	if isRevoked(t, l, revoke.Token{ID: "0"}) {
		t.Error("an expired entry still counts")
	}
	must(t, l.Revoke(revoke.Entry{All: true, IssuedBefore: noon}))
	if l.Len() != 1 {
		t.Errorf("%d entries, want the new one alone", l.Len())
	}
}

// Expired entries of each kind are removed once a minute, and at once if there is no room.
func TestExpiredEntriesMakeRoom(t *testing.T) {
	l, c := list(t, revoke.WithMaxEntries(4))
	for n := range 3 {
		at := noon.Add(time.Duration(2*n) * time.Minute)
		c.set(at)
		end := at.Add(10 * time.Second)
		for _, e := range []revoke.Entry{
			{ID: fmt.Sprint(n), Expires: end}, {Subject: fmt.Sprint(n), IssuedBefore: noon, Expires: end}, {All: true, IssuedBefore: noon, Expires: end},
		} {
			must(t, l.Revoke(e))
		}
		if l.Len() != 3 {
			t.Errorf("%d entries after %d minutes, want those of the minute", l.Len(), 2*n)
		}
	}
	must(t, l.Revoke(revoke.Entry{ID: "last", Expires: noon.Add(time.Hour)}))
	c.set(noon.Add(4*time.Minute + 20*time.Second))
	if err := l.Revoke(revoke.Entry{ID: "more"}); err != nil || l.Len() != 2 {
		t.Errorf("%d entries, %v", l.Len(), err)
	}
}

func TestEntriesAsLines(t *testing.T) {
	for line, e := range map[string]revoke.Entry{
		`jti plain`:                                     {ID: "plain"},
		`jti "#1" exp=2026-11-22T13:00:00.5Z`:           {ID: "#1", Expires: noon.Add(time.Hour + time.Second/2)},
		`jti "\xff" iss="a b"`:                          {ID: "\xff", Issuer: "a b"},
		`sub "a\tb" issued-before=2026-11-22T12:00:00Z`: {Subject: "a\tb", IssuedBefore: noon},
		`all issued-before=2026-11-22T12:00:00Z`:        {All: true, IssuedBefore: noon},
	} {
		if got := e.String(); got != line {
			t.Errorf("%+v is %s, want %s", e, got, line)
		}
		if got, err := revoke.ParseEntry(line); err != nil || got != e {
			t.Errorf("%s is %+v, %v", line, got, err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEntriesAreChecked(t *testing.T) {
	l, _ := list(t)
	for name, e := range map[string]revoke.Entry{
		"nothing":                {},
		"two things":             {ID: "j", Subject: "alice", IssuedBefore: noon},
		"all and a subject":      {All: true, Subject: "alice", IssuedBefore: noon},
		"subject for ever":       {Subject: "alice"},
		"all for ever":           {All: true},
		"identifier with a time": {ID: "j", IssuedBefore: noon},
		"a long identifier":      {ID: strings.Repeat("j", 4097)},
		"a long issuer":          {ID: "j", Issuer: strings.Repeat("j", 4097)},
		"a long subject":         {Subject: strings.Repeat("j", 4097), IssuedBefore: noon},
		"an end that is too far": {ID: "j", Expires: noon.AddDate(8000, 0, 0)},
		"a time that is too far": {Subject: "alice", IssuedBefore: noon.AddDate(8000, 0, 0)},
	} {
		if err := l.Revoke(e); err == nil || l.Len() != 0 {
			t.Errorf("%s: error %v, %d entries", name, err, l.Len())
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for i, opt := range []revoke.Option{nil, revoke.WithMaxEntries(0), revoke.WithMaxEntries(1 << 30), revoke.WithClock(nil)} {
		if _, err := revoke.New(opt); err == nil {
			t.Errorf("option %d is accepted", i)
		}
		if _, err := revoke.OpenFile(filepath.Join(t.TempDir(), "x"), opt); err == nil {
			t.Errorf("option %d is accepted for a file", i)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	l, _ := list(t)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 500 {
				id := fmt.Sprint(w, "-", i)
				must(t, l.Revoke(revoke.Entry{ID: id}))
				must(t, l.Revoke(revoke.Entry{Subject: id, IssuedBefore: noon}))
				if !isRevoked(t, l, revoke.Token{ID: id}) {
					t.Errorf("%s is not revoked", id)
				}
				if i%50 == 0 {
					must(t, l.Load("f", []byte("jti loaded\n")))
				}
			}
		})
	}
	all.Wait()
	if l.Len() != 4001 || !isRevoked(t, l, revoke.Token{ID: "loaded"}) {
		t.Errorf("%d entries", l.Len())
	}
}

func BenchmarkRevoked(b *testing.B) {
	l, _ := list(b)
	for i := range 50_000 {
		must(b, l.Revoke(revoke.Entry{ID: fmt.Sprint(i)}))
	}
	b.ReportAllocs()
	tok := revoke.Token{Issuer: one, ID: "3f2a9c01-8f2e-4c8e-9a58-0d0a5f1f3c11", Subject: "alice", IssuedAt: noon}
	for b.Loop() {
		if revoked, _ := l.Revoked(context.Background(), tok); revoked {
			b.Fatal("revoked")
		}
	}
}
