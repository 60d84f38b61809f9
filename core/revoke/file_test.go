package revoke_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
)

// "Revoke now" counts at once and survives a restart.
func TestFileSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked.txt")
	now := revoke.WithClock(func() time.Time { return noon })
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
	written, err := os.ReadFile(path)
	must(t, err)
	if err := f.Revoke(revoke.Entry{}); err == nil {
		t.Error("an empty entry is accepted")
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != string(written) {
		t.Errorf("the empty entry changed the file to %q, %v", now, err)
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
	must(t, os.WriteFile(path, []byte("jti elsewhere"), 0o600))
	must(t, f.Load(path, []byte("jti elsewhere")))
	if !isRevoked(t, f, revoke.Token{ID: "elsewhere"}) || isRevoked(t, f, revoke.Token{ID: "now", IssuedAt: noon}) {
		t.Error("Load does not replace")
	}
}

// What a watcher had read before an entry was appended does not take that back.
func TestFileReadBeforeARevocation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked.txt")
	f, err := revoke.OpenFile(path)
	must(t, err)
	must(t, f.Revoke(revoke.Entry{ID: "before"}))
	read, err := os.ReadFile(path)
	must(t, err)
	must(t, f.Revoke(revoke.Entry{ID: "now"}))
	must(t, f.Load(path, read))
	if !isRevoked(t, f, revoke.Token{ID: "now"}) {
		t.Error("the entry is gone while it is in the file")
	}
	must(t, os.WriteFile(path, []byte("jti now exp=2999-01-01T00:00:00Z\njti more exp=2999-01-01T00:00:00Z\n"), 0o600))
	newer, err := os.ReadFile(path)
	must(t, err)
	must(t, f.Load(path, newer)) // by one watcher
	must(t, f.Load(path, read))  // by another, which is late
	if !isRevoked(t, f, revoke.Token{ID: "more"}) || isRevoked(t, f, revoke.Token{ID: "before", IssuedAt: noon}) {
		t.Error("an older content has replaced a newer one")
	}
	must(t, os.WriteFile(path, []byte("nonsense"), 0o600))
	for _, data := range [][]byte{append(newer, "nonsense"...), []byte("nonsense"), read} {
		if err := f.Load(path, data); err == nil || !isRevoked(t, f, revoke.Token{ID: "more"}) {
			t.Errorf("after an edit that is wrong, %q: %v", data, err)
		}
	}
	must(t, os.Remove(path))
	if err := f.Load(path, read); err == nil || !isRevoked(t, f, revoke.Token{ID: "more"}) {
		t.Errorf("without a file: %v", err)
	}
}

// Nothing is written to a file that was truncated or removed: with the one line it would be
// a file that takes everything else back.
func TestFileThatLostItsLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked.txt")
	f, err := revoke.OpenFile(path)
	must(t, err)
	must(t, f.Revoke(revoke.Entry{ID: "before"}))
	for name, lose := range map[string]func() error{
		"truncated": func() error { return os.Truncate(path, 0) },
		"removed":   func() error { return os.Remove(path) },
	} {
		must(t, lose())
		if err := f.Revoke(revoke.Entry{ID: name}); err == nil || !strings.Contains(err.Error(), "revoked.txt: the file is empty") {
			t.Errorf("%s: %v", name, err)
		}
		for _, id := range []string{"before", name} {
			if !isRevoked(t, f, revoke.Token{ID: id}) {
				t.Errorf("%s: %s is not revoked", name, id)
			}
		}
	}
	must(t, os.WriteFile(path, []byte("# nothing\n"), 0o600))
	must(t, f.Revoke(revoke.Entry{ID: "after"}))
	if isRevoked(t, f, revoke.Token{ID: "before", IssuedAt: noon}) || !isRevoked(t, f, revoke.Token{ID: "after"}) {
		t.Error("a comment does not let the file be written again")
	}
}

// What cannot be written still counts, and is reported.
func TestFileInTrouble(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "revoked.txt")
	for _, wrong := range []string{"", path} { // such as a variable that is not set, and a mistyped folder
		if _, err := revoke.OpenFile(wrong); err == nil || wrong != "" && !strings.Contains(err.Error(), "cannot be created") {
			t.Errorf("the path %q, which cannot be created: %v", wrong, err)
		}
	}
	must(t, os.Mkdir(filepath.Dir(path), 0o700))
	f, err := revoke.OpenFile(path) // nothing was revoked yet
	must(t, err)
	must(t, os.Remove(filepath.Dir(path)))
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
