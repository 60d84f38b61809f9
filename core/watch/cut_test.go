package watch

import (
	"os"
	"path/filepath"
	"runtime"
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
			return snapshot([]reading{{source: source{name: "f"}, content: []byte(text)}}, runtime.Gosched)
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
	patient := WithDebounce(time.Millisecond, time.Minute)
	s := watching(t, []string{file}, patient, WithCurrentSnapshot(used))
	for n := range len(policy) {
		if n > 0 && policy[n-1] == '\n' {
			continue // which nobody can tell from an edit
		}
		write(t, file, policy[:n])
		time.Sleep(3 * time.Millisecond) // a writer that is not the fastest
	}
	const whole = policy + "p, last, /x, GET\n"
	write(t, file, whole)
	if got := show(s.next(t)); got != "p.csv="+whole+"\n" {
		t.Errorf("called with %q", got)
	}

	// Where a file was cut off before the watcher has looked at all, and where it stays so.
	write(t, file, policy[:30])
	s = watching(t, []string{file}, patient, WithCurrentSnapshot(used))
	write(t, file, whole)
	if got := show(s.next(t)); got != "p.csv="+whole+"\n" {
		t.Errorf("called first with %q", got)
	}
	s = watching(t, []string{file}, WithDebounce(time.Millisecond, 50*time.Millisecond), WithCurrentSnapshot(used))
	s.await(t, "p.csv="+whole+"\n")
	write(t, file, policy[:30])
	s.await(t, "p.csv="+policy[:30]+"\n")

	// Whoever asks for it need not wait.
	write(t, file, policy)
	s = watching(t, []string{file}, patient, WithCurrentSnapshot(used))
	if err := os.Truncate(file, 30); err != nil {
		t.Fatal(err)
	}
	if changed, err := s.Trigger(t.Context()); !changed || err != nil || show(<-s.got) != "p.csv="+policy[:30]+"\n" {
		t.Errorf("Trigger = %v, %v", changed, err)
	}
}
