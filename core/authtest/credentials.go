package authtest

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var credentialCases = []testCase{
	{"A14 two Authorization lines", twoLines},
	{"a cookie twice", cookieTwice},
}

// sesame is bob's Basic credentials.
const sesame = "Ym9iOm9wZW4gc2VzYW1l"

// twoLines checks that duplicate Authorization lines get 400 with only the Bearer challenge
// on every guarded route, whatever their content (RFC 9110 §5.3, RFC 6750 §3.1).
func twoLines(t *testing.T, f Framework) {
	g := everyScheme(t, "r", core.WithAuthorizer(guests{only("bob")}))
	for _, kind := range kinds {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("bob")}})
		d.admits("bob", "Authorization: Bearer bob")
		for _, second := range []string{"Bearer bob", "Bearer alice", "Basic " + sesame, "Name bob", "Other x", "", "Bearer"} {
			for _, lines := range [][]string{
				{"Authorization: Bearer bob", "Authorization: " + second},
				{"authorization: " + second, "Accept: */*", "AUTHORIZATION: Bearer bob"},
			} {
				a := d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, lines...)
				challenged(t, kind+" "+second, a, `Bearer realm="r", error="invalid_request"`)
			}
		}
	}
	g, _ = guard(t)
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g})
	challenged(t, "without Bearer", d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, as("bob"), as("bob")), "")
}

// cookieTwice checks that a duplicate session cookie is refused: either of the two could be
// meant.
func cookieTwice(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, tokens{}), sessions{}})
	for _, kind := range []string{"Authenticate", "Optional"} {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g})
		d.admits("bob", "Cookie: session=bob; theme=dark")
		for _, lines := range [][]string{
			{"Cookie: session=bob; session=alice"}, {"Cookie: session=bob; theme=dark; session=bob"},
		} {
			a := d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, lines...)
			if e := rec.Last(t); e.Reason != core.ReasonAmbiguous || e.Status != http.StatusBadRequest {
				t.Errorf("%s: event %s %d", lines, e.Reason, e.Status)
			}
			challenged(t, lines[0], a, `Bearer realm="r", error="invalid_request"`)
		}
	}
}
