package authtest

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var digestCases = []testCase{
	{"D14 uri is the request target", digestTarget},
	{"D15 the method is bound", digestMethod},
}

// digestTarget: RFC 7616 §3.4.6.
func digestTarget(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	for _, c := range []struct {
		target, uri string
		status      int
	}{
		{"/door", "/door", 200},
		{"/door?a=1&b=%20", "/door?a=1&b=%20", 200},
		{"http://app.example/door?a=1", "/door?a=1", 200},
		{"/door?a=1", "http://app.example/door?a=1", 200},
		{"http://app.example/door", "http://app.example/door", 200},
		{"/door?a=1", "/door", 400},
		{"/door?a=1", "/door?a=2", 400},
		{"/door", "/door?", 400},
		{"/door", "/other", 400},
		{"/door", "/%64oor", 400},
		{"/door", "http://other.example/door", 400},
		{"/door", "*", 400},
	} {
		r := d.reply("SHA-256").with("uri", c.uri).signed("SHA-256", "bob", "open sesame", "GET")
		what := c.target + " with uri " + c.uri
		a := Send(t, d.addr, Request("GET", c.target, r.header()))
		if c.status == http.StatusBadRequest {
			refused(t, what, a, c.status, core.CodeInvalidRequest)
			challenged(t, what, a, "")
		} else if a.Status != c.status || a.Body != handled+"bob" {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
}

// digestMethod: RFC 7616 §3.4.3. An answer for one method is none for another,
// and used for none afterwards.
func digestMethod(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	r := d.reply("SHA-256")
	for _, method := range []string{"HEAD", "POST"} {
		if a := Send(t, d.addr, Request(method, "/door", r.header())); a.Status != http.StatusUnauthorized || d.rec.Last(t).Reason != core.ReasonWrongSecret {
			t.Errorf("%s: %d, %s", method, a.Status, d.rec.Last(t).Reason)
		}
		own := d.reply("SHA-256").signed("SHA-256", "bob", "open sesame", method)
		if a := Send(t, d.addr, Request(method, "/door", own.header())); a.Status != http.StatusOK {
			t.Errorf("%s of its own: %d", method, a.Status)
		}
	}
	d.admits("bob", r.header())
}
