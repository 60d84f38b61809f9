// Package revoketest tests implementations of [revoke.Log], and provides one in memory.
package revoketest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// Run tests logs. open opens the log with the given name, which is empty at first. Each
// call with the same name returns another handle on it, as another instance would have.
// Appending must drop entries that expired an hour ago.
func Run(t *testing.T, open func(t *testing.T, name string) revoke.Log) {
	for name, test := range map[string]func(t *testing.T, one, other revoke.Log){
		"records are read in order":            order,
		"positions that are none":              positions,
		"all entries or none":                  whole,
		"any text":                             texts,
		"appends at once leave no gap":         atOnce,
		"listening tells of appends":           listens,
		"what has expired is dropped":          drops,
		"an instance knows what another says":  follows,
		"an instance that starts late is told": late,
	} {
		t.Run(name, func(t *testing.T) {
			name := strings.ReplaceAll(name, " ", "-")
			test(t, open(t, name), open(t, name))
		})
	}
	t.Run("names are logs of their own", func(t *testing.T) {
		one, other := open(t, "one"), open(t, "other")
		add(t, one, "", revoke.Entry{ID: "a"})
		if got := read(t, other, revoke.Position{}, 10); len(got) != 0 {
			t.Errorf("the other log has %v", got)
		}
	})
}

func add(t *testing.T, l revoke.Log, note string, entries ...revoke.Entry) revoke.Position {
	t.Helper()
	return must.Have(l.Append(t.Context(), note, entries...))(t)
}

func read(t *testing.T, l revoke.Log, after revoke.Position, limit int) []revoke.Record {
	t.Helper()
	return must.Have(l.Read(t.Context(), after, limit))(t)
}

func ids(records []revoke.Record) (all []string) {
	for _, r := range records {
		all = append(all, r.ID)
	}
	return all
}

func order(t *testing.T, one, other revoke.Log) {
	if got := read(t, one, revoke.Position{}, 10); len(got) != 0 {
		t.Errorf("an empty log has %v", got)
	}
	first := add(t, one, "ann: a laptop was lost", revoke.Entry{ID: "a"})
	last := add(t, other, "", revoke.Entry{ID: "b"}, revoke.Entry{ID: "c"})
	got := read(t, one, revoke.Position{}, 10)
	if !slices.Equal(ids(got), []string{"a", "b", "c"}) {
		t.Fatalf("read %v", got)
	}
	if got[0].Position != first || got[2].Position != last || got[0].Number >= got[1].Number || got[1].Number >= got[2].Number {
		t.Errorf("positions %v, appended at %v and %v", got, first, last)
	}
	if got[0].Note != "ann: a laptop was lost" || got[1].Note != "" || got[0].Added.IsZero() {
		t.Errorf("record %+v", got[0])
	}
	if got := read(t, one, first, 1); !slices.Equal(ids(got), []string{"b"}) {
		t.Errorf("one behind the first: %v", got)
	}
	if got := read(t, one, last, 10); len(got) != 0 {
		t.Errorf("behind the last: %v", got)
	}
}

func positions(t *testing.T, one, _ revoke.Log) {
	_, err := one.Read(t.Context(), revoke.Position{Number: 1, Tag: "x"}, 10)
	if !errors.Is(err, revoke.ErrNoPosition) {
		t.Errorf("in an empty log: %v", err)
	}
	p := add(t, one, "", revoke.Entry{ID: "a"})
	for _, p := range []revoke.Position{{Number: p.Number + 1, Tag: p.Tag}, {Number: p.Number, Tag: p.Tag + "x"}, {Number: p.Number}, {Number: 1 << 62, Tag: "x"}} {
		if got, err := one.Read(t.Context(), p, 10); !errors.Is(err, revoke.ErrNoPosition) {
			t.Errorf("%+v: %v, %v", p, got, err)
		}
	}
}

func whole(t *testing.T, one, _ revoke.Log) {
	for _, entries := range [][]revoke.Entry{nil, {{}}, {{ID: "a"}, {Subject: "no time"}}} {
		if _, err := one.Append(t.Context(), "", entries...); err == nil {
			t.Errorf("%v was appended", entries)
		}
	}
	if _, err := one.Append(t.Context(), strings.Repeat("n", revoke.MaxNoteSize+1), revoke.Entry{ID: "a"}); err == nil {
		t.Error("a long note was appended")
	}
	if got := read(t, one, revoke.Position{}, 10); len(got) != 0 {
		t.Errorf("afterwards there is %v", got)
	}
}

func texts(t *testing.T, one, other revoke.Log) {
	long := strings.Repeat("\x00", 4096)
	at := time.Date(2026, 11, 22, 8, 15, 0, 123456789, time.UTC)
	all := []revoke.Entry{
		{ID: "a b\tc\n#"}, {ID: "\x00\xff\xfe"}, {ID: `"\'`}, {ID: "ünï ☃ \u2028"}, {ID: long, Issuer: long},
		{Subject: "%s; drop table x", IssuedBefore: at, Issuer: "https://issuer.example", Expires: time.Now().UTC().Add(time.Hour)},
		{All: true, IssuedBefore: at},
	}
	add(t, one, "ünï\n'\"", all...)
	got := read(t, other, revoke.Position{}, 100)
	if len(got) != len(all) {
		t.Fatalf("%d records of %d", len(got), len(all))
	}
	for i, r := range got {
		if r.String() != all[i].String() || r.ID != all[i].ID || r.Issuer != all[i].Issuer || r.Note != "ünï\n'\"" {
			t.Errorf("%.200q came back as %.200q, note %q", all[i].String(), r.Entry.String(), r.Note)
		}
	}
}

// atOnce checks that readers that continue from their position miss nothing that several
// writers append concurrently.
func atOnce(t *testing.T, one, other revoke.Log) {
	const writers, each = 6, 20
	var all sync.WaitGroup
	defer all.Wait() // however the test ends
	for w := range writers {
		all.Go(func() {
			for n := range each {
				if _, err := []revoke.Log{one, other}[w%2].Append(t.Context(), "", revoke.Entry{ID: fmt.Sprint(w, " ", n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	seen := map[string]bool{}
	var at revoke.Position
	for last := false; ; {
		got := read(t, one, at, 7)
		for _, r := range got {
			if seen[r.ID] || r.Number <= at.Number {
				t.Errorf("%q was read twice, or out of order", r.ID)
			}
			seen[r.ID], at = true, r.Position
		}
		if len(got) == 0 && last {
			break
		}
		select {
		case <-ended:
			last = true
		default:
		}
	}
	if len(seen) != writers*each {
		t.Errorf("%d of %d were read", len(seen), writers*each)
	}
}

func listens(t *testing.T, one, other revoke.Log) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hints, ended := make(chan struct{}, 100), make(chan error, 1)
	go func() {
		ended <- one.Listen(ctx, func() {
			select {
			case hints <- struct{}{}:
			default:
			}
		})
	}()
	limit := time.After(authtest.TimeLimit(30 * time.Second))
	for n := range 2 {
		select {
		case <-hints:
		case err := <-ended:
			t.Fatal(err)
		case <-limit:
			t.Fatalf("no hint after %d", n)
		}
		if n == 0 {
			add(t, other, "", revoke.Entry{ID: "a"})
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("listening ended without a reason")
		}
	case <-limit:
		t.Error("it listens on")
	}
}

// drops checks that appending removes entries that expired an hour ago, and that readers at
// the newest position need not start over.
func drops(t *testing.T, one, other revoke.Log) {
	old := make([]revoke.Entry, 50)
	for i := range old {
		old[i] = revoke.Entry{ID: fmt.Sprint("old ", i), Expires: time.Now().Add(-2 * time.Hour)}
	}
	add(t, one, "", revoke.Entry{ID: "for ever"}, revoke.Entry{ID: "recent", Expires: time.Now().Add(-time.Minute)})
	at := add(t, one, "", old...)
	for range 3 {
		next := add(t, other, "", revoke.Entry{ID: "new", Expires: time.Now().Add(time.Hour)})
		if got := read(t, one, at, 10); len(got) != 1 || got[0].Position != next {
			t.Errorf("behind the newest of before: %v", got)
		}
		at = next
	}
	if got := ids(read(t, one, revoke.Position{}, 100)); !slices.Equal(got, []string{"for ever", "recent", "new", "new", "new"}) {
		t.Errorf("it has %q", got)
	}
}

// following returns the follower of an instance.
func following(t *testing.T, l revoke.Log) *revoke.Follower {
	t.Helper()
	limit := authtest.TimeLimit(30 * time.Second)
	f := must.Have(revoke.Follow(t.Context(), l, revoke.WithTimeout(limit), revoke.WithStartTimeout(limit)))(t)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func revoked(t *testing.T, c revoke.Checker, tok revoke.Token) bool {
	t.Helper()
	return must.Have(c.Revoked(t.Context(), tok))(t)
}

func follows(t *testing.T, one, other revoke.Log) {
	a, b := following(t, one), following(t, other)
	tok := revoke.Token{Issuer: "https://issuer.example", ID: "j", Subject: "alice", IssuedAt: time.Now().Add(-time.Minute)}
	if revoked(t, a, tok) || revoked(t, b, tok) {
		t.Error("nothing was revoked")
	}
	p := must.Have(a.Append(t.Context(), "", revoke.Entry{Subject: "alice", IssuedBefore: time.Now()}))(t)
	if !revoked(t, a, tok) {
		t.Error("the instance that has revoked does not know of it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	if err := b.WaitFor(ctx, p); err != nil {
		t.Fatal(err)
	}
	if !revoked(t, b, tok) {
		t.Error("the other instance does not know of it")
	}
}

func late(t *testing.T, one, other revoke.Log) {
	add(t, one, "", revoke.Entry{ID: "j"}, revoke.Entry{ID: "k"})
	if f := following(t, other); !revoked(t, f, revoke.Token{ID: "j"}) || f.Len() != 2 || f.Status().Err != nil {
		t.Errorf("%+v", f.Status())
	}
}
