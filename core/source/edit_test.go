package source_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core/source"
)

// version is a revision's files with its state.
func version(t *testing.T, r source.Revision, files ...source.File) (source.State, *source.Content) {
	t.Helper()
	c, err := source.NewContent(r, files)
	if err != nil {
		t.Fatal(err)
	}
	return source.State{Revision: r, Hash: c.Hash()}, c
}

func policyFile(text string) source.File {
	return source.File{Name: "policy.csv", Content: []byte(text)}
}

// TestEdits: applying an edit gives the same files, and leaves the previous ones
// unchanged, whichever bytes were added or removed.
func TestEdits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("p, ann, /, GET\n", 10_000)
	for _, tt := range []struct{ before, now string }{
		{"", ""}, {"", "a"}, {"a", ""}, {"a", "a"}, {"aaa", "aa"}, {"aa", "aaa"}, {"abab", "ababab"}, {"a\nb\nc\n", "a\nx\nc\n"},
		{"\x00\xff", "\x00\xfe\xff"}, {long, long + "x"}, {long, "x" + long}, {long, long[:5000] + "x" + long[5000:]}, {long, long[15:]},
		{long, long[:4096] + long[4097:]}, {long[:8192], long[:4096]}, {long, ""},
	} {
		var publisher, instance source.Edits
		model := source.File{Name: "model.conf", Content: []byte("m")}
		at, before := version(t, 1, policyFile(tt.before), model)
		to, now := version(t, 2, policyFile(tt.now), model)
		publisher.Keep(at, before)
		instance.Keep(at, before)
		text := publisher.Text(1, to, now.Files)
		if len(text) > 600 || text == "" {
			t.Fatalf("from %.10q to %.10q: %d bytes", tt.before, tt.now, len(text))
		}
		got := instance.Content(to, text)
		if got == nil || got.Revision != 2 || got.Hash() != to.Hash {
			t.Errorf("from %.10q to %.10q: %v by %s", tt.before, tt.now, got, text)
		}
		if before.Hash() != at.Hash {
			t.Errorf("from %.10q to %.10q: the previous files have changed", tt.before, tt.now)
		}
	}
}

// TestEditsInARow: consecutive edits are applied, and none of a skipped or older
// revision.
func TestEditsInARow(t *testing.T) {
	t.Parallel()
	var publisher, instance, late source.Edits
	var states []source.State
	var texts []string
	for r := range source.Revision(4) {
		at, c := version(t, r+1, policyFile(fmt.Sprint("rules ", r)))
		texts = append(texts, publisher.Text(r, at, c.Files))
		states = append(states, at)
		publisher.Keep(at, c)
		if r == 0 {
			instance.Keep(at, c)
			late.Keep(at, c)
		}
		if got := instance.Content(at, texts[r]); got == nil || got.Hash() != at.Hash || got.Revision != r+1 {
			t.Errorf("revision %d: %v", r+1, got)
		}
	}
	if again := instance.Content(states[3], ""); again == nil || again.Hash() != states[3].Hash {
		t.Errorf("once more: %v", again)
	}
	if c := instance.Content(states[2], texts[2]); c != nil {
		t.Errorf("back to an older one: %v", c)
	}
	if c := late.Content(states[3], texts[3]); c != nil {
		t.Errorf("two skipped: %v", c)
	}
	if c := new(source.Edits).Content(states[0], texts[0]); c != nil {
		t.Errorf("without a revision: %v", c)
	}
}

// TestWrongEdits: whatever an edit contains, it results only in files with the
// hash in the state.
func TestWrongEdits(t *testing.T) {
	t.Parallel()
	at, c := version(t, 1, policyFile("p, ann, /a, GET\n"), source.File{Name: "roles.csv", Content: []byte("g, ann, x\n")})
	to, next := version(t, 2, policyFile("p, ann, /b, GET\n"), c.Files[1])
	never := source.State{Revision: 1, Hash: strings.Repeat("0", 64)}
	edit := func(from, to source.State, changes string) string {
		return fmt.Sprintf(`{"from":{"Revision":%d,"Hash":%q},"to":{"Revision":%d,"Hash":%q},"files":[%s]}`, from.Revision, from.Hash, to.Revision, to.Hash, changes)
	}
	change := func(name string, at, cut int, add string) string {
		return fmt.Sprintf(`{"name":%q,"at":%d,"cut":%d,"add":%q}`, name, at, cut, base64.StdEncoding.EncodeToString([]byte(add)))
	}
	good := change("policy.csv", 9, 1, "b")
	for what, text := range map[string]string{
		"other bytes":              edit(at, to, change("policy.csv", 9, 1, "c")),
		"a base that never was":    edit(never, to, good),
		"of another file":          edit(at, to, change("roles.csv", 9, 1, "b")),
		"of a file that is not":    edit(at, to, change("more.csv", 0, 0, "b")),
		"of a file twice":          edit(at, to, good+","+good),
		"behind the end":           edit(at, to, change("policy.csv", 17, 0, "b")),
		"before the beginning":     edit(at, to, change("policy.csv", -1, 1, "b")),
		"more than there is":       edit(at, to, change("policy.csv", 9, 8, "b")),
		"less than nothing":        edit(at, to, change("policy.csv", 9, -1, "b")),
		"up to before the file":    edit(at, to, change("policy.csv", 0, -1, "b")),
		"as much as there can be":  edit(at, to, change("policy.csv", 9, 1<<62, "b")),
		"as far as there can be":   edit(at, to, change("policy.csv", 1<<62, 1<<62, "b")),
		"nothing":                  edit(at, to, ""),
		"from itself":              edit(to, to, good),
		"from a later one":         edit(source.State{Revision: 3, Hash: at.Hash}, to, good),
		"half of one":              edit(at, to, good)[:90],
		"no edit":                  "[]",
		"no text":                  "",
		"too long":                 edit(at, to, change("policy.csv", 9, 1, strings.Repeat("b", 50<<10))),
		"too many":                 edit(at, to, strings.Repeat(good+",", 1000)+good),
		"numbers of another kind":  edit(at, to, `{"name":"policy.csv","at":1e99}`),
		"more than fits in a file": edit(at, to, `{"name":"policy.csv","at":9223372036854775807,"cut":9223372036854775807}`),
	} {
		var e source.Edits
		e.Keep(at, c)
		if got := e.Content(to, text); got != nil {
			t.Errorf("%s: %v", what, got)
		}
		if c.Hash() != at.Hash {
			t.Fatalf("%s: the previous files have changed", what)
		}
		// A good edit read afterwards is applied.
		if got := e.Content(to, edit(at, to, good)); got == nil || got.Hash() != next.Hash() {
			t.Errorf("after %s: %v", what, got)
		}
	}
}

// TestEditsThatSaveNothing: an edit that would save nothing is not made.
func TestEditsThatSaveNothing(t *testing.T) {
	t.Parallel()
	var e source.Edits
	at, c := version(t, 3, policyFile("a\n"))
	other := source.File{Name: "roles.csv"}
	e.Keep(source.State{Revision: 3, Hash: "of others"}, c)
	e.Keep(source.State{Revision: 2, Hash: at.Hash}, c)
	if text := e.Text(3, at, c.Files); text != "" {
		t.Errorf("content of another state was cached: %s", text)
	}
	e.Keep(at, c)
	random := make([]byte, source.MaxEdit)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	proved := *c
	proved.Proof = []byte("of this revision")
	var of source.Edits
	of.Keep(at, &proved)
	if got := of.Content(at, ""); got != nil {
		t.Error("content with a proof is cached, although an edit has none")
	}
	for what, tt := range map[string]struct {
		from  source.Revision
		files []source.File
	}{
		"from another revision": {2, []source.File{policyFile("b\n")}},
		"a file has come":       {3, []source.File{policyFile("b\n"), other}},
		"another file":          {3, []source.File{other}},
		"too long":              {3, []source.File{{Name: "policy.csv", Content: random}}},
	} {
		to, _ := version(t, 4, tt.files...)
		if text := e.Text(tt.from, to, tt.files); text != "" {
			t.Errorf("%s: %s", what, text)
		}
	}
}

// TestEditsAtOnce: stores share cached content between callers, and it is read
// concurrently. The race detector checks that.
func TestEditsAtOnce(t *testing.T) {
	t.Parallel()
	at, c := version(t, 1, policyFile("1"))
	var e source.Edits
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			e.Keep(at, c)
			if got := e.Content(at, ""); got == nil || got.Hash() != at.Hash {
				t.Errorf("cached: %v", got)
			}
		})
	}
	all.Wait()
}

// TestWrappedContent: content with a known hash, copied with other files, is not taken
// for the original.
func TestWrappedContent(t *testing.T) {
	t.Parallel()
	at, c := version(t, 1, policyFile("1"))
	new(source.Edits).Keep(at, c)
	store := newFake()
	store.publish()
	store.tampered = func(got *source.Fetched) {
		other := *c
		other.Files = []source.File{policyFile("1 and more")}
		*got = source.Fetched{State: at, Content: &other}
	}
	if _, err := source.Follow(t.Context(), store, new(applied).apply, source.WithStartTimeout(1)); err == nil {
		t.Error("it is in force")
	}
}

// FuzzEdits: no edit crashes an instance, results in files without the state's hash, or
// changes the previous files.
func FuzzEdits(f *testing.F) {
	before := []byte("p, ann, /a, GET\n")
	hash := source.HashFiles([]source.File{{Name: "policy.csv", Content: before}})
	f.Add(fmt.Sprintf(`{"from":{"Revision":1,"Hash":%q},"to":{"Revision":2,"Hash":"x"},"files":[{"name":"policy.csv","at":9,"cut":1,"add":"Yg=="}]}`, hash))
	f.Fuzz(func(t *testing.T, text string) {
		var e source.Edits
		at, c := version(t, 1, source.File{Name: "policy.csv", Content: bytes.Clone(before)})
		to, now := version(t, 2, policyFile("p, ann, /b, GET\n"))
		e.Keep(at, c)
		if got := e.Content(to, strings.ReplaceAll(text, `"x"`, `"`+to.Hash+`"`)); got != nil && !bytes.Equal(got.Files[0].Content, now.Files[0].Content) {
			t.Errorf("%q", got.Files[0].Content)
		}
		if !bytes.Equal(c.Files[0].Content, before) {
			t.Errorf("the previous file is %q", c.Files[0].Content)
		}
	})
}
