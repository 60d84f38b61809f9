package jwttest

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// cappedSize: the verifier's own limit, small enough for every server.
func cappedSize(t *testing.T, b bench) {
	longest := b.keys.good(t, "ES256", `"x":"`+strings.Repeat("x", 600)+`"`)
	s := b.serve(t, jwtauth.WithMaxTokenSize(len(longest)))
	s.try(onPublic,
		attempt{"as long as allowed", longest, ""},
		attempt{"longer", b.keys.good(t, "ES256", `"x":"`+strings.Repeat("x", 601)+`"`), core.ReasonMalformed},
		attempt{"much longer", b.keys.good(t, "ES256", `"x":"`+strings.Repeat("x", 2000)+`"`), core.ReasonMalformed},
		attempt{"dots", strings.Repeat(".", 3000), core.ReasonMalformed},
		attempt{"letters", strings.Repeat("A", 3000), core.ReasonMalformed})
	if e := s.events.Last(t); !strings.Contains(e.Cause.Error(), "3000 bytes") {
		t.Errorf("cause %q does not tell the size", e.Cause)
	}
}
