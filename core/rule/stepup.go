package rule

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// maxAhead is how far ahead of this clock a principal's AuthTime may be. A time
// further ahead does not tell how long ago it was.
const maxAhead = time.Minute

// ACR allows a principal that authenticated in one of the given authentication
// context classes, that is, whose claim "acr" is exactly one of them. No class
// counts as stronger than another, so list all that are acceptable, preferred
// first.
//
// A refusal asks for one of them: the response is 401 with
// insufficient_user_authentication and acr_values (RFC 9470 §3), or 403 if no
// scheme of the guard can ask for that.
//
// It panics if no class is given, one is given twice, or one cannot be part of a
// space-separated list: a class is printable ASCII without space, quote and
// backslash.
func ACR(classes ...string) core.Authorizer {
	return newStepUp("ACR", 0, list("ACR", "class", classes), newLabel("ACR", classes...))
}

// MaxAge allows a principal that authenticated at most d ago, according to its
// AuthTime. A principal without AuthTime is refused as too old (RFC 9470 §6).
//
// A refusal asks for a new authentication: the response is 401 with
// insufficient_user_authentication and max_age (RFC 9470 §3), or 403 if no scheme
// of the guard can ask for that. It panics unless d is a positive number of whole
// seconds.
func MaxAge(d time.Duration) core.Authorizer {
	checkAge("MaxAge", d)
	return newStepUp("MaxAge", d, nil, labelOf("MaxAge", []string{d.String()}))
}

// StepUp combines [MaxAge] and [ACR], so that a refusal asks for both at once and
// the user signs in once. It panics as they do.
func StepUp(maxAge time.Duration, classes ...string) core.Authorizer {
	checkAge("StepUp", maxAge)
	args := []string{maxAge.String()}
	for _, c := range classes {
		args = append(args, strconv.Quote(c))
	}
	return newStepUp("StepUp", maxAge, list("StepUp", "class", classes), labelOf("StepUp", args))
}

type stepUp struct {
	label
	need core.StepUp
	now  func() time.Time
}

func newStepUp(function string, maxAge time.Duration, classes []string, text label) *stepUp {
	for _, class := range classes {
		for i := range len(class) {
			if c := class[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
				panic(fmt.Sprintf("rule.%s: class %q: byte %#02x at offset %d is not allowed in acr_values (RFC 9470 §3); give each class as its own argument", function, class, c, i))
			}
		}
	}
	return &stepUp{label: text, need: core.StepUp{ACRValues: classes, MaxAge: maxAge}, now: time.Now}
}

func checkAge(function string, d time.Duration) {
	if d < time.Second || d%time.Second != 0 {
		panic(fmt.Sprintf("rule.%s: max age %v: must be whole seconds, at least 1s", function, d))
	}
}

func (r *stepUp) Authorize(_ context.Context, p *core.Principal, _ core.Access) (core.Decision, error) {
	if r.inClass(p) && r.recent(p) {
		return core.Decision{Allowed: true, Rule: r.String()}, nil
	}
	return core.Decision{
		Reason: core.ReasonWeakAuthentication,
		Rule:   r.String(),
		StepUp: &core.StepUp{ACRValues: slices.Clone(r.need.ACRValues), MaxAge: r.need.MaxAge},
	}, nil
}

func (r *stepUp) inClass(p *core.Principal) bool {
	if len(r.need.ACRValues) == 0 {
		return true
	}
	v, _ := p.Claim("acr")
	class, ok := v.(string)
	return ok && slices.Contains(r.need.ACRValues, class)
}

func (r *stepUp) recent(p *core.Principal) bool {
	if r.need.MaxAge == 0 {
		return true
	}
	at := p.AuthTime()
	if at.IsZero() {
		return false
	}
	age := r.now().Sub(at)
	return age <= r.need.MaxAge && age >= -maxAhead
}
