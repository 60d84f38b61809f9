package authtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var resourceSemantics = []testCase{{"G12 paths that are too long", longPaths}}

// longPaths: conformance G, and the cost of patterns: a path is looked at up to
// a length.
func longPaths(t *testing.T, f Framework) {
	const limit = 100
	for _, tt := range []struct {
		opts   []core.Option
		length int
		status int
	}{
		{[]core.Option{core.WithMaxPathSize(limit)}, limit, 200},
		{[]core.Option{core.WithMaxPathSize(limit)}, limit + 1, 400},
		{nil, 3000, 200},
	} {
		a := newSlashApp(t, f, tt.opts...)
		target := "/tree/" + strings.Repeat("a", tt.length-len("/tree/"))
		answer := Send(t, a.addr, fmt.Sprintf("GET %s?%s HTTP/1.1\nHost: localhost\nAuthorization: Name alice", target, strings.Repeat("q", 200)))
		reason := core.ReasonAllowed
		if tt.status == 400 {
			reason = core.ReasonPathTooLong
		}
		if got := a.rec.Last(t).Reason; answer.Status != tt.status || got != reason {
			t.Errorf("%d bytes: %d %s, want %d %s", tt.length, answer.Status, got, tt.status, reason)
		}
	}
}
