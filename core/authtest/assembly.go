package authtest

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

var assemblyCases = []testCase{
	{"invariant 14 a gate that cannot work fails at start-up", badGates},
}

// badGates checks that wrong arguments make the adapter's functions panic before anything
// is served, with the name of the package and the mistake.
func badGates(t *testing.T, f Framework) {
	g, _ := guard(t)
	policed, _ := guard(t, core.WithAuthorizer(only()))
	for _, c := range []struct {
		says string
		gate Gate
	}{
		{"the guard is nil", Gate{Kind: "Authenticate"}},
		{"not made by NewGuard", Gate{Kind: "Optional", Guard: new(core.Guard)}},
		{"the guard is nil", Gate{Kind: "Authorize"}},
		{"not made by NewGuard", Gate{Kind: "Require", Guard: new(core.Guard), Rules: []core.Authorizer{only()}}},
		{"no authorizer", Gate{Kind: "Authorize", Guard: g}},
		{"option 2 is nil", Gate{Kind: "Authorize", Guard: policed, Options: []core.GateOption{core.WithResourceName("x"), nil}}},
		{"no rule", Gate{Kind: "Require", Guard: g}},
		{"rule 2 is nil", Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{only(), nil}}},
		{"rule 1 is nil", Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{AuthorizerFunc(nil)}}},
	} {
		message := startPanic(t, f, App{Use: []Gate{c.gate}})
		if !strings.Contains(message, c.says) || !strings.HasPrefix(message, f.Package+": ") {
			t.Errorf("%s with %q: panic %q", c.gate.Kind, c.says, message)
		}
	}
}

// startPanic returns the panic message of building app; "" if there is none.
func startPanic(t *testing.T, f Framework, app App) (message string) {
	t.Helper()
	l := must.Have(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer func() {
		if v := recover(); v != nil {
			message = fmt.Sprint(v)
			_ = l.Close()
		}
	}()
	f.Serve(t, l, app)
	return ""
}
