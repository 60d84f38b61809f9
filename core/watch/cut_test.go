package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file that looks as if it were still being written is given time to become whole,
// and is taken as it is when that has passed: some programs end no line.
func TestCutOffFile(t *testing.T) {
	t.Parallel()
	const policy = "p, admin, /*, GET\np, admin-readonly, /x, GET\ng, ann, admin-readonly\n"
	for name, c := range map[string]struct {
		before, now string
		cut         bool
	}{
		"emptied":                       {policy, "", true},
		"a comment is left":             {policy, "# none\n", false},
		"fewer whole lines":             {policy, policy[:18], false},
		"as long, without a line break": {policy, policy[:len(policy)-1] + ",", false},
		"longer, without a line break":  {policy, policy + "g, bob, admin", false},
		"never had a line break":        {policy[:len(policy)-1], policy[:30], false},
		"CRLF":                          {"a\r\nbc\r\n", "a\r\nb", true},
	} {
		is := func(text string) Snapshot {
			return snapshot([]reading{{source: source{name: "f"}, content: []byte(text)}})
		}
		if got := is(c.now).cutOff(is(c.before).ended()); got != c.cut {
			t.Errorf("%s: %v", name, got)
		}
	}

	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, policy)
	used, err := Read([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	// Parts are there long enough to be read, and not as long as a file may take.
	s := watching(t, []string{file}, WithDebounce(time.Millisecond, time.Minute), WithCurrentSnapshot(used))
	for n := range len(policy) {
		if n > 0 && policy[n-1] == '\n' {
			continue // which nobody can tell from an edit
		}
		if err := os.Truncate(file, int64(n)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Millisecond) // a writer that is not the fastest
	}
	write(t, file, policy+"p, last, /x, GET\n")
	if got := show(s.next(t)); got != "p.csv="+policy+"p, last, /x, GET\n\n" {
		t.Errorf("called with %q", got)
	}

	s = watching(t, []string{file}, WithDebounce(time.Millisecond, 50*time.Millisecond), WithCurrentSnapshot(used))
	s.await(t, "p.csv="+policy+"p, last, /x, GET\n\n")
	write(t, file, policy[:30])
	s.await(t, "p.csv="+policy[:30]+"\n")
	write(t, file, policy)
	s.await(t, "p.csv="+policy+"\n")
	write(t, file, policy[:30])
	if changed, err := s.Trigger(t.Context()); err != nil || !changed && show(<-s.got) != "p.csv="+policy[:30]+"\n" {
		t.Errorf("Trigger waits: %v, %v", changed, err)
	}
}
