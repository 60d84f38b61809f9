package revoke_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
)

// FuzzLoad: a file is loaded or refused with its line, and nothing panics.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{
		"", "# x\n\njti 3f2a iss=https://one.example exp=2027-11-22T18:00:00Z\n", "sub \"a b\" issued-before=2026-11-22T08:15:00Z",
		"all issued-before=2026-11-22T08:15:00+01:00\r\n", "jti \"", "jti x =", "jti\x00",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, _ := list(t, revoke.WithMaxEntries(100))
		if err := l.Load("f", data); err != nil && (!strings.HasPrefix(err.Error(), "f:") || l.Len() != 0) {
			t.Fatalf("error %v, %d entries", err, l.Len())
		}
	})
}

// FuzzEntry: whatever is revoked can be written as one line and read again.
func FuzzEntry(f *testing.F) {
	f.Add("j", "", "https://one.example", int64(0), int64(1_900_000_000))
	f.Add("", "alice smith", "\"", int64(1_800_000_000), int64(0))
	f.Add("#\n=\x00\xff", "", "a\u2028b", int64(0), int64(0))
	f.Add("", "", "", int64(5), int64(0))
	f.Fuzz(func(t *testing.T, id, subject, issuer string, before, expires int64) {
		const years = 4000 * 365 * 24 * 3600
		e := revoke.Entry{ID: id, Subject: subject, All: id == "" && subject == "", Issuer: issuer}
		if before != 0 {
			e.IssuedBefore = time.Unix(before%years, 0)
		}
		if expires > 0 {
			e.Expires = noon.Add(time.Duration(expires%years+1) * time.Second)
		}
		added, _ := list(t)
		if added.Revoke(e) != nil {
			return
		}
		line := e.String()
		if strings.ContainsAny(line, "\r\n") {
			t.Fatalf("%q is more than a line", line)
		}
		loaded, _ := list(t)
		if err := loaded.Load("f", []byte(line)); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		tok := revoke.Token{Issuer: issuer, ID: id, Subject: subject, IssuedAt: e.IssuedBefore}
		if loaded.Len() != 1 || !isRevoked(t, loaded, tok) {
			t.Fatalf("%q does not revoke %+v", line, tok)
		}
	})
}
