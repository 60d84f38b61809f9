package authclient

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// A nonce whose numbers are used up is replaced, as one that has expired is.
func TestDigestNumbersAreUsedUp(t *testing.T) {
	source, err := Digest("erin", "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	d, r := source.(*digester), httptest.NewRequest("GET", "https://a.example/", nil)
	ask := func(nonce string) Answer {
		c, err := challenge.Parse(`Digest realm="r", nonce="` + nonce + `", qop="auth", algorithm=SHA-256`)
		if err != nil {
			t.Fatal(err)
		}
		return Answer{Status: http.StatusUnauthorized, Challenges: c}
	}
	if !d.Answered(r, ask("first")) {
		t.Fatal("the challenge is not answered")
	}
	for _, s := range d.sessions {
		s.count, s.proven = math.MaxUint32, true
	}
	late := ask("second")
	if late.Stamp, err = d.Authorize(r); err != nil || late.Stamp == 0 {
		t.Fatalf("nothing is sent: %v", err)
	}
	if !d.Answered(r, late) {
		t.Fatal("the new nonce is not used")
	}
	if _, err := d.Authorize(r); err != nil || !strings.Contains(r.Header.Get("Authorization"), `nonce="second"`) {
		t.Errorf("%v, sent %q", err, r.Header.Get("Authorization"))
	}
}
