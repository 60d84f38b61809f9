package authtest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

var boundSemantics = []testCase{
	{"invariant 13 oversized credentials are refused before any work", longBasic},
	{"invariant 13 an unknown user takes the way of a known one", sameWork},
}

// longBasic: credentials over the scheme's limit are 401, unless the framework refuses such
// a header itself.
func longBasic(t *testing.T, f Framework) {
	asked := 0
	a, err := basic.New("r", basic.VerifierFunc(func(context.Context, string, string) (*core.Principal, error) {
		asked++
		return nil, basic.ErrWrongPassword
	}))
	if err != nil {
		t.Fatal(err)
	}
	g, rec := guardOf(t, []core.Authenticator{a})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, size := range []int{basic.MaxBytes, 2 * basic.MaxBytes} {
		before := len(rec.Events())
		answer := d.get(login("bob", strings.Repeat("x", size)))
		if len(rec.Events()) == before {
			if answer.Status != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%d bytes: %d without an event", size, answer.Status)
			}
			continue
		}
		refused(t, fmt.Sprint(size, " bytes"), answer, http.StatusUnauthorized, core.CodeInvalidCredentials)
	}
	if asked != 0 || d.runs.Load() != 0 {
		t.Errorf("verifier asked %d times, handler ran %d times", asked, d.runs.Load())
	}
}

// sameWork: hiding which users exist is up to the store, so it is always asked once, with
// the password as sent.
func sameWork(t *testing.T, f Framework) {
	var asked []string
	a, err := basic.New("r", basic.VerifierFunc(func(ctx context.Context, user, password string) (*core.Principal, error) {
		asked = append(asked, user+" "+password)
		return passwords(ctx, user, password)
	}))
	if err != nil {
		t.Fatal(err)
	}
	g, _ := guardOf(t, []core.Authenticator{a})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g}, Gate{Kind: "Optional", Guard: g})
	d.admits("bob", login("bob", "open sesame"))
	for _, user := range []string{"bob", "unknown"} {
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, login(user, "wrong"))
	}
	if got := strings.Join(asked, ", "); got != "bob open sesame, bob wrong, unknown wrong" {
		t.Errorf("asked for %s", got)
	}
}
