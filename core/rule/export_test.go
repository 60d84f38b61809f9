package rule

import (
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// At is r, made by [MaxAge] or [StepUp], with a clock that stands still.
func At(now time.Time, r core.Authorizer) core.Authorizer {
	s := *r.(*stepUp)
	s.now = func() time.Time { return now }
	return &s
}
