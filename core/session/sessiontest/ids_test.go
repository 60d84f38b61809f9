package sessiontest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

var cookieSemantics = []testCase{
	{"F06 ids are random and no secret is in the store", randomIDs},
	{"invariant 13 what is no id never reaches the store", malformed},
	{"invariant 7 answers depend on the cookie", caching},
}

// randomIDs: 256 bits, each of which takes both values. The store has neither
// ids nor, in its keys, who is signed in.
func randomIDs(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	const logins = 48
	var ones, zeros [32]byte
	ids := map[string]bool{}
	for range logins {
		id := s.browser(t).login("alice")
		b, err := base64.RawURLEncoding.DecodeString(id)
		if err != nil || len(b) != len(ones) {
			t.Fatalf("id %q: %d bytes, %v", id, len(b), err)
		}
		for i := range b {
			ones[i] |= b[i]
			zeros[i] |= ^b[i]
		}
		ids[id] = true
	}
	for i := range ones {
		if ones[i] != 0xff || zeros[i] != 0xff {
			t.Errorf("byte %d of the ids has fixed bits: %08b %08b", i, ones[i], zeros[i])
		}
	}
	if len(ids) != logins {
		t.Errorf("%d ids for %d logins", len(ids), logins)
	}
	contents := s.store.Contents()
	for id := range ids {
		if strings.Contains(contents, id) {
			t.Fatal("an id is in the store")
		}
	}
	s.signedIn(t, "bartholomew").send("POST", "/everywhere")
	if strings.Contains(strings.Join(s.store.Keys(), " "), "bartholomew") {
		t.Error("a principal is in the keys of the store")
	}
}

func malformed(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	id := s.signedIn(t, "alice").id
	asked := s.store.Asked("find")
	for _, value := range []string{
		"", "x", id[:42], id + "A", id + "=", strings.Repeat("A", 4000), id[:42] + "*", id[:42] + "%41",
		id[:42] + "B", // bits that no id has
		"../" + id[3:],
	} {
		a := s.browser(t).send("GET", "/me", "Cookie: "+cookieName+"="+value)
		refused(t, value, a, http.StatusUnauthorized, core.CodeInvalidCredentials)
		if e := s.events.Last(t); e.Reason != core.ReasonMalformed || value != "" && strings.Contains(e.Cause.Error(), value) {
			t.Errorf("%q: event %s %v", value, e.Reason, e.Cause)
		}
		if c := cookieOf(a); c == nil || c.MaxAge >= 0 {
			t.Errorf("%q: the cookie stays", value)
		}
	}
	if n := s.store.Asked("find"); n != asked {
		t.Errorf("the store was asked %d times", n-asked)
	}
}

func caching(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	a := s.signedIn(t, "alice").does("GET", "/me", "alice user")
	if a.Header.Get("Vary") != "Cookie" || a.Header.Get("Cache-Control") != "private" || cookieOf(a) != nil {
		t.Errorf("signed in: %v", a.Header)
	}
	a = s.browser(t).does("GET", "/public", "nobody")
	if a.Header.Get("Vary") != "Cookie" {
		t.Errorf("anonymous: %v", a.Header)
	}
	refused(t, "nobody", s.browser(t).send("GET", "/me"), http.StatusUnauthorized, core.CodeAuthenticationRequired)
	b := s.signedIn(t, "alice")
	s.clock.Advance(time.Hour)
	a = b.send("GET", "/me")
	if lines := a.Header.Values("Set-Cookie"); a.Status != http.StatusUnauthorized || len(lines) != 1 {
		t.Errorf("a 401 sets %q", lines)
	}
}
