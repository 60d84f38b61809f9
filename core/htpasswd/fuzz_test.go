package htpasswd

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

func FuzzParse(f *testing.F) {
	const (
		h = "$2y$10$cl4PRDJa0w8a.OTqnxcBR.BqwOw1cuOM9Sd7QZRUYkFk3Kvt/3gEi"
		a = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQxMjM0NTY3OA$Gi/GyO+ja0HNix2yXrD4tGC0LDT8u4u288GHKRMPv+k"
	)
	for _, s := range []string{
		"", "alice:" + h, "# x\r\n\r\nalice:" + h + "\r\nbob:" + h, "\uFEFFalice:" + h, "alice", ":" + h,
		"alice:$apr1$x$y", "alice:{SHA}x", "alice:" + h[:59], "a\x00:" + h, "alice:" + h + "\nalice:" + h, "alice:$2b$99" + h[6:],
		"alice:" + a + "\nbob:" + h + "\ncarol:" + strings.Replace(a, "p=1", "p=4", 1), "J\u0061\u0308:" + a, "\u00e4:" + a + "\na\u0308:" + h,
		"alice:" + strings.Replace(a, "v=19", "v=16", 1), "alice:" + strings.Replace(a, "t=2", "t=02", 1), "alice:" + a + "=",
		"alice:" + strings.Replace(a, "m=19456", "m=4294967295", 1), "alice:" + strings.Replace(a, "p=1", "p=257", 1),
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
		if len(tab.users) == 0 || tab.memory > defaultMemory {
			t.Errorf("%d users, %d bytes", len(tab.users), tab.memory)
		}
		for user, e := range tab.users {
			if strings.ContainsAny(user, ":\r\n\x00") || user == "" || !norm.NFC.IsNormalString(user) || e.principal.ID() != user {
				t.Errorf("user %q is principal %q", user, e.principal.ID())
			}
			checkHash(t, e.hash)
			if !strings.Contains(text, spelt(e.hash)) {
				t.Errorf("hash %q of %q is not in the file", spelt(e.hash), user)
			}
			all := append(tab.decoys.rest(e.hash), e.hash)
			for _, h := range all {
				checkHash(t, h)
			}
			if sum(all) != sum(tab.decoys.rest(nil)) {
				t.Errorf("refusing %q costs %v, and nobody %v", user, sum(all), sum(tab.decoys.rest(nil)))
			}
		}
	})
}

// spelt is a hash as a file has it.
func spelt(h *hash) string {
	if h.bcrypt() {
		return string(h.text)
	}
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.memory, h.passes, h.threads, b64(h.salt), b64(h.sum))
}

func checkHash(t *testing.T, h *hash) {
	t.Helper()
	if h.bcrypt() {
		if cost, err := bcrypt.Cost(h.text); err != nil || cost != h.cost || cost < defaultMinCost || cost > maxCost {
			t.Errorf("hash %q: cost %d, %v; taken for %d", h.text, cost, err, h.cost)
		}
		return
	}
	work := uint64(h.memory) * uint64(h.passes)
	if h.memory < 7168 || work < 35840 || work > maxWork || h.passes < 1 || h.threads < 1 || h.threads > maxThreads ||
		len(h.salt) < minSalt || len(h.salt) > maxPart || len(h.sum) < minSum || len(h.sum) > maxPart {
		t.Errorf("argon2id of %+v, %d bytes of salt, %d of hash", h.shape, len(h.salt), len(h.sum))
	}
}

// sum is the work of comparing with hashes.
func sum(hashes []*hash) (w struct {
	rounds int
	memory uint64
	n      int
}) {
	for _, h := range hashes {
		if h.bcrypt() {
			w.rounds += 1 << h.cost
			continue
		}
		w.memory += uint64(h.memory) * uint64(h.passes)
		w.n++
	}
	return w
}

// What is taken for argon2id has one spelling.
func FuzzArgon2id(f *testing.F) {
	for _, s := range []string{
		"v=19$m=19456,t=2,p=1$c2FsdHNhbHQxMjM0NTY3OA$Gi/GyO+ja0HNix2yXrD4tGC0LDT8u4u288GHKRMPv+k",
		"v=19$m=7168,t=5,p=1$c2FsdHNhbHQxMjM0NTY3OA$8k1fYXlIhzA8gfuk4ZbTB1++Qc09PkZhuW39v2ZMyb8",
		"v=19$m=47104,t=1,p=4$c2FsdHNhbHQxMjM0NTY3OA$GpGVYgDeUebGZLYd9NGjAw",
		"v=16$m=19456,t=2,p=1$c2FsdA$AA", "v=19$m=19456,t=2,p=1,keyid=AA$c2FsdA$AA", "v=19$m=4294967296,t=0,p=257$$", "$$$", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, problem := parseHash(argon2idPrefix+text, limits{minCost: defaultMinCost, memory: defaultMemory})
		if (h == nil) == (problem == "") {
			t.Fatalf("%v and %q", h, problem)
		}
		if h == nil {
			return
		}
		checkHash(t, h)
		if got := spelt(h); got != argon2idPrefix+text {
			t.Errorf("%q was read as %q", argon2idPrefix+text, got)
		}
	})
}
