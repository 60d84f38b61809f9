package watch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is left of a file when the rest was not written is nobody's to see, where
// that shows: lines that are lost may deny or revoke, and a part of a name may be
// another name.
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
		"JSON":                          {"{\"keys\": []}\n", "{}", false},
		"JSON, emptied":                 {" {\"keys\": []}\n", "", false},
		"a key file":                    {"[sp_k3m9x2q7ab]\nrevoked = x\n", "[sp_k3m9x2q7ab]", true},
	} {
		is := func(text string) Snapshot {
			return snapshot([]reading{{source: source{name: "f"}, content: []byte(text)}})
		}
		if err := is(c.now).cut(is(c.before).ended()); (err != nil) != c.cut {
			t.Errorf("%s: %v", name, err)
		} else if c.cut && !strings.HasPrefix(err.Error(), "watch: f: the file looks cut off: ") {
			t.Errorf("%s: %v", name, err)
		}
	}

	start := map[string]func(t *testing.T, file string) *spy{
		"loaded by the watcher": func(t *testing.T, file string) *spy {
			s := watching(t, []string{file}, WithDebounce(time.Millisecond, 10*time.Millisecond))
			s.next(t)
			return s
		},
		"in use already": func(t *testing.T, file string) *spy {
			used, err := Read([]string{file})
			if err != nil {
				t.Fatal(err)
			}
			return watching(t, []string{file}, WithDebounce(time.Millisecond, 10*time.Millisecond), WithCurrentSnapshot(used))
		},
	}
	for name, start := range start {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "p.csv")
			write(t, file, policy)
			s := start(t, file)
			for n := range len(policy) {
				if n > 0 && policy[n-1] == '\n' {
					continue // which nobody can tell from an edit
				}
				if err := os.Truncate(file, int64(n)); err != nil {
					t.Fatal(err)
				}
				if changed, err := s.Trigger(t.Context()); changed || err == nil || !errors.Is(err, ErrCutOff) || !strings.Contains(err.Error(), file) {
					t.Fatalf("%d bytes: Trigger = %v, %v", n, changed, err)
				}
				write(t, file, policy)
				if _, err := s.Trigger(t.Context()); err != nil || s.Err() != nil {
					t.Fatalf("whole again: Trigger: %v", err)
				}
			}
			for len(s.got) > 0 {
				if got := show(<-s.got); got != "p.csv="+policy+"\n" {
					t.Errorf("called with %q", got)
				}
			}

			// It is told without anybody asking, and the way out is to end the line.
			for len(s.reported) > 0 {
				<-s.reported
			}
			write(t, file, policy[:30])
			if err := s.failure(t); !strings.Contains(err.Error(), "end its last line if it is whole") {
				t.Error(err)
			}
			write(t, file, policy[:30]+"\n")
			s.await(t, "p.csv="+policy[:30]+"\n\n")
			write(t, file, policy)
			s.await(t, "p.csv="+policy+"\n")
		})
	}
}
