package authtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
)

var boundCases = []testCase{
	{"invariant 13 a long token is not verified", longToken},
}

// longToken checks that the size of a token is checked before anything else.
func longToken(t *testing.T, f Framework) {
	verifier := new(counting)
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, verifier, bearer.WithMaxTokenSize(64))})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	longest := strings.Repeat("a", 64)
	d.admits(longest, "Authorization: Bearer "+longest)
	for _, size := range []int{65, 1000, 3000} {
		d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, "Authorization: Bearer "+strings.Repeat("a", size))
		if e := rec.Last(t); e.Reason != core.ReasonMalformed || len(fmt.Sprint(e.Cause)) > 200 {
			t.Errorf("%d bytes: event %s, cause %.200q", size, e.Reason, fmt.Sprint(e.Cause))
		}
	}
	if n := verifier.asked.Load(); n != 1 {
		t.Errorf("the verifier was asked %d times", n)
	}
}
