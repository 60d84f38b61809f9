// Package sourcetest is the conformance suite for implementations of [source.Store]:
// everything that package source promises of stores has a case here.
package sourcetest

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
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/source"
)

// Run runs the suite. open returns an empty store for each new name, and another handle on
// the same store if the name is repeated.
func Run(t *testing.T, open func(t *testing.T, name string) source.Store) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, a, b source.Store)
	}{
		{"empty", empty},
		{"a publication is read as a whole", whole},
		{"what is known is not read again", known},
		{"of two editors one is refused", conflict},
		{"a publication may be repeated", repeated},
		{"no edit is lost among many editors", manyEditors},
		{"history lists and restores", history},
		{"bad publications are refused", bad},
		{"numbers may be left out", atLeast},
		{"listening hints at once and at each publication", listen},
		{"a follower is at the newest revision", follow},
		{"of a few new lines all is read", edits},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := "suite-" + fmt.Sprint(time.Now().UnixNano())
			c.run(t, open(t, name), open(t, name))
		})
	}
}

// Files returns two files, named like a model and a policy, that contain text.
func Files(text string) []source.File {
	return []source.File{{Name: "policy.csv", Content: []byte(text)}, {Name: "model.conf", Content: []byte("model of " + text)}}
}

func by(author string) source.Note { return source.Note{Author: author} }

// publish publishes text as the next revision after base.
func publish(t *testing.T, s source.Store, base source.Revision, text string) source.Entry {
	t.Helper()
	return must.Have(s.Publish(t.Context(), source.Publication{Base: base, Files: Files(text), Note: by("ann")}))(t)
}

// holds fails the test unless c is what publish published.
func holds(t *testing.T, c *source.Content, r source.Revision, text string) {
	t.Helper()
	if c == nil || c.Revision != r || c.Hash() != source.HashFiles(Files(text)) {
		t.Errorf("content is %+v, want revision %d with %q", c, r, text)
	}
}

func empty(t *testing.T, s, _ source.Store) {
	if _, err := s.Fetch(t.Context(), source.State{}); !errors.Is(err, source.ErrEmpty) {
		t.Errorf("fetch: %v, want ErrEmpty", err)
	}
	if _, _, err := s.At(t.Context(), 1); !errors.Is(err, source.ErrNoRevision) {
		t.Errorf("at: %v, want ErrNoRevision", err)
	}
	if h, err := s.History(t.Context(), 0, 10); err != nil || len(h) != 0 {
		t.Errorf("history: %v, %v", h, err)
	}
	var conflict *source.ConflictError
	_, err := s.Publish(t.Context(), source.Publication{Base: 7, Files: Files("x"), Note: by("ann")})
	if !errors.As(err, &conflict) || conflict.Newest != 0 {
		t.Errorf("publish on a base that is not there: %v", err)
	}
}

func whole(t *testing.T, a, b source.Store) {
	odd := []source.File{{Name: "empty.csv", Content: nil}, {Name: "a/b/bytes.bin", Content: []byte{0, 0xff, '\r', '\n', 0x80}}, {Name: "ä ö.txt", Content: []byte("ü")}}
	if _, err := a.Publish(t.Context(), source.Publication{Files: odd, Note: by("ann")}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Fetch(t.Context(), source.State{})
	if err != nil || got.Revision != 1 || got.Content == nil || got.Content.Hash() != source.HashFiles(odd) {
		t.Errorf("fetched %+v, %v", got, err)
	}
}

func known(t *testing.T, a, b source.Store) {
	one := publish(t, a, 0, "one")
	at := source.State{Revision: 1, Hash: one.Hash}
	if got, err := b.Fetch(t.Context(), at); err != nil || got.Revision != 1 || got.Content != nil {
		t.Errorf("known: %+v, %v", got, err)
	}
	if got, err := b.Fetch(t.Context(), source.State{Revision: 1, Hash: "of others"}); err != nil || got.Content == nil {
		t.Errorf("the same number with other content: %+v, %v", got, err)
	}
	publish(t, a, 1, "two")
	got := must.Have(b.Fetch(t.Context(), at))(t)
	holds(t, got.Content, 2, "two")
	if got.Hash != got.Content.Hash() {
		t.Errorf("hash %s of content with %s", got.Hash, got.Content.Hash())
	}
}

func conflict(t *testing.T, a, b source.Store) {
	publish(t, a, 0, "one")
	publish(t, b, 1, "two of b")
	_, err := a.Publish(t.Context(), source.Publication{Base: 1, Files: Files("two of a"), Note: by("ann")})
	var conflict *source.ConflictError
	if !errors.As(err, &conflict) || conflict.Base != 1 || conflict.Newest != 2 {
		t.Errorf("second editor: %v, want a conflict of 1 with 2", err)
	}
	got := must.Have(a.Fetch(t.Context(), source.State{}))(t)
	holds(t, got.Content, 2, "two of b")
}

// repeated publishes again, as after an answer that was lost.
func repeated(t *testing.T, a, b source.Store) {
	publish(t, a, 0, "one")
	p := source.Publication{Base: 1, Files: Files("two"), Note: source.Note{Author: "ann", Message: "more"}}
	first := must.Have(a.Publish(t.Context(), p))(t)
	for _, s := range []source.Store{a, b} {
		if again, err := s.Publish(t.Context(), p); err != nil || again != first {
			t.Errorf("again: %+v, %v; want %+v", again, err, first)
		}
	}
	if h := must.Have(b.History(t.Context(), 0, 10))(t); len(h) != 2 {
		t.Errorf("the history is %+v", h)
	}
	for name, other := range map[string]source.Publication{
		"with other content":      {Base: 1, Files: Files("other"), Note: p.Note},
		"by another author":       {Base: 1, Files: p.Files, Note: by("bob")},
		"from a base before that": {Base: 0, Files: p.Files, Note: p.Note},
	} {
		if _, err := b.Publish(t.Context(), other); !errtype.In[*source.ConflictError](err) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	publish(t, b, 2, "three")
	if _, err := a.Publish(t.Context(), p); !errtype.In[*source.ConflictError](err) {
		t.Errorf("after another one: %v, want a conflict", err)
	}
}

// manyEditors lets several editors each append words to the newest content; in the end all
// words must be present.
func manyEditors(t *testing.T, a, b source.Store) {
	const editors, edits = 4, 5
	publish(t, a, 0, "")
	var wg sync.WaitGroup
	for i := range editors {
		s := []source.Store{a, b}[i%2]
		wg.Go(func() {
			for n := range edits {
				if err := addWord(t.Context(), s, fmt.Sprintf("<%d.%d>", i, n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	got := must.Have(a.Fetch(t.Context(), source.State{}))(t)
	text, _ := got.Content.File("policy.csv")
	for i := range editors {
		for n := range edits {
			if word := fmt.Sprintf("<%d.%d>", i, n); !slices.Contains(words(text), word) {
				t.Errorf("%s is lost: %s", word, text)
			}
		}
	}
	if got.Revision != 1+editors*edits {
		t.Errorf("revision %d, want %d", got.Revision, 1+editors*edits)
	}
}

func addWord(ctx context.Context, s source.Store, word string) error {
	for {
		got, err := s.Fetch(ctx, source.State{})
		if err != nil {
			return err
		}
		text, _ := got.Content.File("policy.csv")
		_, err = s.Publish(ctx, source.Publication{Base: got.Revision, Files: Files(string(text) + word), Note: by(word)})
		if !errtype.In[*source.ConflictError](err) {
			return err
		}
	}
}

func words(text []byte) []string {
	var all []string
	for len(text) > 0 {
		end := slices.Index(text, '>') + 1
		all, text = append(all, string(text[:end])), text[end:]
	}
	return all
}

func history(t *testing.T, a, b source.Store) {
	notes := []source.Note{
		{Author: "ann", Commit: "0123abc", Message: "begin"},
		{Author: "bob", Message: "more\nlines", Forced: "1 warning"},
		{Author: "ann", Restores: 1},
	}
	for i, note := range notes {
		text := []string{"one", "two", "one"}[i]
		if _, err := a.Publish(t.Context(), source.Publication{Base: source.Revision(i), Files: Files(text), Note: note}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := b.History(t.Context(), 0, 10)
	if err != nil || len(all) != 3 {
		t.Fatalf("history: %+v, %v", all, err)
	}
	for i, e := range all {
		if want := notes[2-i]; e.Revision != source.Revision(3-i) || e.Note != want || e.Published.IsZero() {
			t.Errorf("entry %d is %+v, want %+v", i, e, want)
		}
	}
	if all[0].Hash != all[2].Hash || all[0].Hash == all[1].Hash {
		t.Errorf("hashes: %s, %s, %s", all[0].Hash, all[1].Hash, all[2].Hash)
	}
	if page, err := b.History(t.Context(), 3, 1); err != nil || len(page) != 1 || page[0].Revision != 2 {
		t.Errorf("page: %+v, %v", page, err)
	}
	c, e, err := b.At(t.Context(), 2)
	if err != nil || e.Author != "bob" {
		t.Fatalf("at 2: %+v, %v", e, err)
	}
	holds(t, c, 2, "two")
}

func bad(t *testing.T, s, _ source.Store) {
	for what, p := range map[string]source.Publication{
		"no author":   {Files: Files("x")},
		"no file":     {Note: by("ann")},
		"twice":       {Files: append(Files("x"), Files("y")...), Note: by("ann")},
		"a path up":   {Files: []source.File{{Name: "../x"}}, Note: by("ann")},
		"a full path": {Files: []source.File{{Name: "/etc/x"}}, Note: by("ann")},
		"no name":     {Files: []source.File{{}}, Note: by("ann")},
	} {
		if _, err := s.Publish(t.Context(), p); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := s.Fetch(t.Context(), source.State{}); !errors.Is(err, source.ErrEmpty) {
		t.Errorf("something was published: %v", err)
	}
}

func atLeast(t *testing.T, s, _ source.Store) {
	e, err := s.Publish(t.Context(), source.Publication{AtLeast: 40, Files: Files("x"), Note: by("ann")})
	if err != nil || e.Revision != 40 {
		t.Fatalf("%+v, %v", e, err)
	}
	if e = publish(t, s, 40, "y"); e.Revision != 41 {
		t.Errorf("next is %d", e.Revision)
	}
}

func listen(t *testing.T, a, b source.Store) {
	publish(t, a, 0, "one")
	ctx, cancel := context.WithCancel(t.Context())
	hints, ended := make(chan struct{}, 100), make(chan error, 1)
	go func() {
		ended <- b.Listen(ctx, func() {
			select {
			case hints <- struct{}{}:
			default:
			}
		})
	}()
	for _, what := range []string{"once it listens", "at a publication"} {
		select {
		case <-hints:
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(authtest.TimeLimit(30 * time.Second)):
			t.Fatalf("no hint %s", what)
		}
		if what == "once it listens" {
			publish(t, a, 1, "two")
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("listening has ended without an error")
	}
}

// followed follows a store until the test ends, and returns the content that takes effect.
func followed(t *testing.T, of source.Store) (*source.Follower, <-chan *source.Content) {
	t.Helper()
	applied := make(chan *source.Content, 10)
	f, err := source.Follow(t.Context(), of, func(_ context.Context, c *source.Content) error {
		applied <- c
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, applied
}

func follow(t *testing.T, a, b source.Store) {
	publish(t, a, 0, "one")
	f, applied := followed(t, b)
	holds(t, <-applied, 1, "one")
	publish(t, a, 1, "two")
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	if err := f.WaitFor(ctx, 2); err != nil {
		t.Fatal(err)
	}
	holds(t, <-applied, 2, "two")
}

// edits checks that a follower gets every revision completely even if little has changed
// since the one before, whoever published that.
func edits(t *testing.T, a, b source.Store) {
	lines := strings.Repeat("p, somebody, /somewhere, GET\n", 5000)
	e := publish(t, a, 0, lines)
	f, applied := followed(t, b)
	holds(t, <-applied, 1, lines)
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(30*time.Second))
	defer cancel()
	for i, edit := range []func() string{
		func() string { return lines + "p, ann, /, GET\n" },
		func() string { return "p, bob, /, GET\n" + lines },
		func() string { return lines[:29*1000] + lines[29*1001:] },
		func() string { return lines },
		func() string { return "" },
		func() string { return strings.Repeat("p, ann, /, GET\n", 5000) },
	} {
		lines = edit()
		e = publish(t, []source.Store{a, a, b, a, b, a}[i], e.Revision, lines)
		if err := f.WaitFor(ctx, e.Revision); err != nil {
			t.Fatal(err)
		}
		holds(t, <-applied, e.Revision, lines)
	}
}
