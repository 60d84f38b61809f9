package revoke_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
)

func TestLoad(t *testing.T) {
	l, c := list(t, revoke.WithMaxEntries(6))
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
	if err := l.Load("revoked.txt", nil); err == nil || !strings.Contains(err.Error(), "revoked.txt: the file is empty") {
		t.Errorf("a truncated file: %v", err)
	}
	check("truncated", revoke.Token{ID: "new"}, true)
	must(t, l.Load("revoked.txt", []byte("# nothing\n")))
	check("emptied", revoke.Token{ID: "new", IssuedAt: noon}, false)
	must(t, l.Load("revoked.txt", nil))
}

func TestLoadNamesTheLine(t *testing.T) {
	for line, want := range map[string]string{
		"revoke j":                         "not one of jti, sub and all",
		"JTI j":                            "not one of jti, sub and all",
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
		"\ufeffjti j":                      "not one of jti",
		"jti j iss=":                       "missing",
		"jti j iss= x":                     "missing",
		"jti j =x":                         "not one of iss",
		"jti j iss=a iss=a":                "twice",
		"jti j until=2026-11-22T18:00:00Z": "not one of iss, exp",
		"jti j exp=tomorrow":               "write it like",
		"jti j exp=2026-11-22":             "write it like",
		"jti j exp=0001-01-01T00:00:00Z":   "write it like",
		"jti j issued-before=2026-11-22T18:00:00Z": "no issued-before",
		"jti j k":   "name=value",
		"jti a b=c": "not one of iss",
		"sub alice": "needs issued-before",
		"all":       "needs issued-before",
		"all everybody issued-before=2026-11-22T18:00:00Z": "name=value",
		"jti " + strings.Repeat("x", 5000):                 "4096",
		"jti 2\njti 3":                                     "more than 2 entries",
	} {
		t.Run(fmt.Sprintf("%.40q", line), func(t *testing.T) {
			l, _ := list(t, revoke.WithMaxEntries(2))
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

// TestLoadKeepsWhatExpiredLately: of a file, as many entries as may be alive are kept for a
// day after they have expired, in case the clock was ahead, and take no room from others.
func TestLoadKeepsWhatExpiredLately(t *testing.T) {
	l, c := list(t, revoke.WithMaxEntries(2))
	must(t, l.Load("revoked.txt", []byte(strings.Join([]string{
		"jti late-1 exp=2026-11-22T11:00:00Z",
		"jti late-2 exp=2026-11-22T11:00:00Z",
		"jti old exp=2026-11-21T11:00:00Z",
		"jti new-1",
		"jti late-3 exp=2026-11-21T12:00:01Z",
		"jti new-2",
	}, "\n"))))
	if l.Len() != 4 {
		t.Errorf("%d entries, want 4", l.Len())
	}
	for _, until := range []time.Time{noon, noon.Add(-25 * time.Hour)} {
		c.set(until)
		for id, want := range map[string]bool{"late-1": false, "late-2": until != noon, "late-3": until != noon, "old": false, "new-1": true, "new-2": true} {
			if got := isRevoked(t, l, revoke.Token{ID: id}); got != want {
				t.Errorf("at %v: %s is revoked: %v", until, id, got)
			}
		}
	}
}
