package revoke_test

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	l, err := revoke.New(append([]revoke.Option{revoke.Clock(c.read)}, opts...)...)
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
	l, c := list(t, revoke.MaxEntries(10))
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
	} {
		if err := l.Revoke(e); err == nil || l.Len() != 0 {
			t.Errorf("%s: error %v, %d entries", name, err, l.Len())
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for i, opt := range []revoke.Option{nil, revoke.MaxEntries(0), revoke.MaxEntries(1 << 30), revoke.Clock(nil)} {
		if _, err := revoke.New(opt); err == nil {
			t.Errorf("option %d is accepted", i)
		}
		if _, err := revoke.OpenFile(filepath.Join(t.TempDir(), "x"), opt); err == nil {
			t.Errorf("option %d is accepted for a file", i)
		}
	}
}

func TestLoad(t *testing.T) {
	l, c := list(t, revoke.MaxEntries(6))
	must(t, l.Revoke(revoke.Entry{ID: "added"}))
	must(t, l.Load("revoked.txt", []byte(strings.Join([]string{
		"# revoked on Sunday",
		"",
		"  \t ",
		"jti plain",
		"\tjti\t\"with a space \\\" and \\u00e9\"   iss=\"" + one + "\" \r",
		"jti gone exp=2026-11-22T11:59:59Z",
		"jti soon exp=2026-11-22T14:00:00+01:00",
		"sub alice issued-before=2026-11-22T08:15:00.5Z iss=" + one,
		"sub \"#1\" issued-before=2026-11-22T08:15:00Z",
		"all iss=" + other + " issued-before=2026-11-22T08:15:00Z",
	}, "\n"))))
	check := func(name string, tok revoke.Token, want bool) {
		t.Helper()
		if got := isRevoked(t, l, tok); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	check("plain", revoke.Token{ID: "plain"}, true)
	check("quoted", revoke.Token{Issuer: one, ID: "with a space \" and é"}, true)
	check("quoted at another", revoke.Token{Issuer: other, ID: "with a space \" and é", IssuedAt: noon}, false)
	check("gone", revoke.Token{ID: "gone", IssuedAt: noon}, false)
	check("soon", revoke.Token{ID: "soon"}, true)
	check("subject", revoke.Token{Issuer: one, Subject: "alice", IssuedAt: time.Date(2026, 11, 22, 8, 15, 0, 0, time.UTC)}, true)
	check("subject with a number sign", revoke.Token{Subject: "#1"}, true)
	check("all", revoke.Token{Issuer: other, Subject: "bob"}, true)
	check("added before", revoke.Token{ID: "added"}, true)
	c.set(noon.Add(time.Hour))
	check("soon, later", revoke.Token{ID: "soon", IssuedAt: noon}, false)

	must(t, l.Load("revoked.txt", []byte("jti new\n")))
	check("replaced", revoke.Token{ID: "plain", IssuedAt: noon}, false)
	check("new", revoke.Token{ID: "new"}, true)
	check("added before", revoke.Token{ID: "added"}, true)
	must(t, l.Load("revoked.txt", nil))
	check("emptied", revoke.Token{ID: "new", IssuedAt: noon}, false)
}

func TestLoadNamesTheLine(t *testing.T) {
	for line, want := range map[string]string{
		"revoke j":                         "none of jti, sub and all",
		"JTI j":                            "none of jti, sub and all",
		"jti":                              "missing",
		"jti ":                             "missing",
		`jti ""`:                           "empty",
		`jti "j`:                           "not closed",
		`jti "\x"`:                         "not closed",
		`jti "a"b`:                         "after the closing quote",
		`jti a"b`:                          "in quotes",
		"jti a\u00a0b":                     "in quotes",
		"jti a\x00b":                       "in quotes",
		"jti \xff":                         "UTF-8",
		"\ufeffjti j":                      "none of jti",
		"jti j iss=":                       "missing",
		"jti j iss= x":                     "missing",
		"jti j =x":                         "none of iss",
		"jti j iss=a iss=a":                "twice",
		"jti j until=2026-11-22T18:00:00Z": "none of iss, exp",
		"jti j exp=tomorrow":               "write it like",
		"jti j exp=2026-11-22":             "write it like",
		"jti j exp=0001-01-01T00:00:00Z":   "write it like",
		"jti j issued-before=2026-11-22T18:00:00Z": "no issued-before",
		"jti j k":   "name=value",
		"jti a b=c": "none of iss",
		"sub alice": "needs issued-before",
		"all":       "needs issued-before",
		"all everybody issued-before=2026-11-22T18:00:00Z": "name=value",
		"jti " + strings.Repeat("x", 5000):                 "4096",
		"jti 2\njti 3":                                     "more than 2 entries",
	} {
		t.Run(fmt.Sprintf("%.40q", line), func(t *testing.T) {
			l, _ := list(t, revoke.MaxEntries(2))
			must(t, l.Load("f", []byte("jti before")))
			err := l.Load("revoked.txt", []byte("jti 1\n"+line+"\n"))
			if err == nil || !strings.HasPrefix(err.Error(), "revoked.txt:") || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 {
				t.Errorf("error %v, want %q in it", err, want)
			}
			if n := 2 + strings.Count(line, "\n"); err != nil && !strings.HasPrefix(err.Error(), fmt.Sprintf("revoked.txt:%d: ", n)) {
				t.Errorf("error %v, want line %d", err, n)
			}
			if !isRevoked(t, l, revoke.Token{ID: "before"}) || isRevoked(t, l, revoke.Token{ID: "1", IssuedAt: noon}) {
				t.Error("a bad file changed the list")
			}
		})
	}
	l, _ := list(t)
	if err := l.Load("revoked.txt", make([]byte, 64<<20+1)); err == nil || !strings.HasPrefix(err.Error(), "revoked.txt: larger") {
		t.Errorf("error %v", err)
	}
}

// "Revoke now" counts at once and survives a restart.
func TestFileSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked.txt")
	now := revoke.Clock(func() time.Time { return noon })
	f, err := revoke.OpenFile(path, now)
	must(t, err)
	entries := []revoke.Entry{
		{ID: "j-1", Issuer: one, Expires: noon.Add(time.Hour)},
		{ID: "two\nlines \"and\" # \xff \u202e", Issuer: "a b"},
		{Subject: "alice=1 exp=2", IssuedBefore: noon.Add(123456789)},
		{All: true, IssuedBefore: noon.Add(-time.Hour), Issuer: one},
	}
	for _, e := range entries {
		must(t, f.Revoke(e))
	}
	again, err := revoke.OpenFile(path, now)
	must(t, err)
	for _, c := range []*revoke.File{f, again} {
		if c.Len() != len(entries) {
			t.Errorf("%d entries, want %d", c.Len(), len(entries))
		}
		for _, e := range entries {
			tok := revoke.Token{Issuer: e.Issuer, ID: e.ID, Subject: e.Subject, IssuedAt: e.IssuedBefore}
			if !isRevoked(t, c, tok) {
				t.Errorf("%+v is not revoked", tok)
			}
		}
		if isRevoked(t, c, revoke.Token{Issuer: one, ID: "j-2", Subject: "bob", IssuedAt: noon}) {
			t.Error("a good token is revoked")
		}
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

// A last line that somebody left without its end is not run into.
func TestFileKeepsWhatOthersWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked.txt")
	must(t, os.WriteFile(path, []byte("# by hand\njti by-hand"), 0o644))
	f, err := revoke.OpenFile(path)
	must(t, err)
	must(t, f.Revoke(revoke.Entry{ID: "now"}))
	for _, id := range []string{"by-hand", "now"} {
		if !isRevoked(t, f, revoke.Token{ID: id}) {
			t.Errorf("%s is not revoked", id)
		}
	}
	must(t, f.Load(path, []byte("jti elsewhere")))
	if !isRevoked(t, f, revoke.Token{ID: "elsewhere"}) || isRevoked(t, f, revoke.Token{ID: "now", IssuedAt: noon}) {
		t.Error("Load does not replace")
	}
}

// What cannot be written still counts, and is reported.
func TestFileInTrouble(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "revoked.txt")
	f, err := revoke.OpenFile(path) // no such folder: nothing was revoked yet
	must(t, err)
	if err := f.Revoke(revoke.Entry{ID: "j"}); err == nil || !strings.HasPrefix(err.Error(), "revoke: ") {
		t.Errorf("error %v", err)
	}
	if !isRevoked(t, f, revoke.Token{ID: "j"}) {
		t.Error("what could not be written does not count")
	}
	if err := f.Revoke(revoke.Entry{}); err == nil {
		t.Error("an empty entry is accepted")
	}

	broken := filepath.Join(dir, "revoked.txt")
	must(t, os.WriteFile(broken, []byte("jti a\n"), 0o600))
	f, err = revoke.OpenFile(broken)
	must(t, err)
	must(t, os.WriteFile(broken, []byte("jti a\nnonsense\n"), 0o600))
	if err := f.Revoke(revoke.Entry{ID: "urgent"}); err == nil || !strings.Contains(err.Error(), "revoked.txt:2: ") {
		t.Errorf("error %v", err)
	}
	for _, id := range []string{"a", "urgent"} {
		if !isRevoked(t, f, revoke.Token{ID: id}) {
			t.Errorf("%s is not revoked", id)
		}
	}
	if _, err := revoke.OpenFile(broken); err == nil {
		t.Error("a bad file is opened")
	}
	if _, err := revoke.OpenFile(dir); err == nil {
		t.Error("a folder is opened")
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
