package session_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/session"
)

// FuzzCookie: without a session, every Cookie field is refused or counts as no credentials,
// and only a possible id reaches the store.
func FuzzCookie(f *testing.F) {
	id := strings.Repeat("A", 43)
	for _, seed := range []string{
		"", "__Host-session", "__Host-session=", "__Host-session=" + id, "__Host-session=\"" + id + "\"", "__host-session=" + id,
		"__Host-session=" + id + "; __Host-session=" + id, "a=b; __Host-session=" + id[1:] + "B", "__Host-session=" + id + "=",
		" __Host-session = " + id, "__Host-session=" + id + ",__Host-session=" + id, ";;=;", "__Host-session=\xff",
	} {
		f.Add(seed)
	}
	b := newBench(f)
	b.login(principal(f, core.PrincipalInfo{ID: "alice"}), "")
	f.Fuzz(func(t *testing.T, field string) {
		r := request("GET", field)
		asked := b.store.Asked("find")
		p, err := b.manager.Authenticate(t.Context(), r)
		var bad *core.CredentialError
		switch {
		case p != nil || err == nil:
			t.Fatalf("%q: principal %v", field, p)
		case errors.Is(err, core.ErrNoCredentials), errors.Is(err, core.ErrAmbiguousCredentials):
		case !errors.As(err, &bad) || bad.Code != core.CodeInvalidCredentials:
			t.Fatalf("%q: %v", field, err)
		}
		value, n := r.Cookie("__Host-session")
		if n := b.store.Asked("find") - asked; n > 0 && !session.IsID(value) {
			t.Fatalf("%q: the store was asked %d times", field, n)
		}
		if n == 1 && value != "" && !session.IsID(value) && strings.Contains(err.Error(), value) && len(value) > 8 {
			t.Fatalf("%q: the error contains the cookie: %v", field, err)
		}
	})
}

// FuzzRecord: whatever a store contains, decoding returns a record with a principal and an
// expiry, or an error that reveals nothing of the content.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"id":"alice","issued":"2026-03-01T12:00:00Z","deadline":"2026-03-02T00:00:00Z"}`,
		`{"v":1,"id":"alice","roles":["user"],"claims":{"n":9007199254740993,"f":1e400,"a":[{"b":null}]},"issued":"2026-03-01T12:00:00Z","deadline":"2026-03-02T00:00:00Z"}`,
		`{"v":1,"id":"","issued":"2026-03-01T12:00:00Z","deadline":"2026-03-02T00:00:00Z"}`,
		`{"v":1,"id":"alice","issued":"2026-03-01T12:00:00Z","deadline":"2026-03-02T00:00:00Z"}` + strings.Repeat(" ", session.MaxRecord),
		`{"v":1,"replaced":true}`, `{"v":1,"replaced":true,"id":"alice"}`, `{"v":2}`, `{"v":1} {}`, `null`, `[]`, ``, `{"v":1,"id":"","issued":"x"}`,
		`{"v":1,"ID":"alice","id":"bob","issued":"2026-03-01T12:00:00Z","deadline":"2026-03-01T12:00:00Z"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := session.Decode(data)
		switch {
		case err != nil:
			if len(data) > 16 && strings.Contains(err.Error(), string(data)) {
				t.Errorf("the error contains the record: %v", err)
			}
		case len(data) > session.MaxRecord:
			t.Errorf("a record of %d bytes", len(data))
		case rec.Replaced != (rec.ID == ""):
			t.Errorf("record of %q, replaced %v", rec.ID, rec.Replaced)
		case !rec.Replaced && !rec.Issued.Before(rec.Deadline):
			t.Errorf("from %v until %v", rec.Issued, rec.Deadline)
		}
	})
}
