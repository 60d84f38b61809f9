package htpasswd

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func FuzzParse(f *testing.F) {
	const h = "$2y$10$cl4PRDJa0w8a.OTqnxcBR.BqwOw1cuOM9Sd7QZRUYkFk3Kvt/3gEi"
	for _, s := range []string{
		"", "alice:" + h, "# x\r\n\r\nalice:" + h + "\r\nbob:" + h, "\uFEFFalice:" + h, "alice", ":" + h,
		"alice:$apr1$x$y", "alice:{SHA}x", "alice:" + h[:59], "a\x00:" + h, "alice:" + h + "\nalice:" + h, "alice:$2b$99" + h[6:],
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("f", strings.NewReader(text))
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "f:") {
					t.Errorf("finding %q has no place", line)
				}
			}
			return
		}
		tab := file.table.Load()
		if len(tab.users) == 0 || tab.top < defaultMinCost || tab.top > maxCost {
			t.Errorf("%d users, highest cost %d", len(tab.users), tab.top)
		}
		for user, e := range tab.users {
			if strings.ContainsAny(user, ":\r\n\x00") || user == "" || !strings.Contains(text, user+":"+string(e.hash)) {
				t.Errorf("user %q with hash %q is not in the file", user, e.hash)
			}
			if cost, err := bcrypt.Cost(e.hash); err != nil || cost != e.cost {
				t.Errorf("hash %q: cost %d, %v; taken for %d", e.hash, cost, err, e.cost)
			}
			for c := e.cost; c <= tab.top; c++ {
				if cost, err := bcrypt.Cost(tab.decoys[c]); err != nil || cost != c {
					t.Errorf("decoy %q: cost %d, %v; want %d", tab.decoys[c], cost, err, c)
				}
			}
		}
	})
}
