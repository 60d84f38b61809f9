package casbinrules

import (
	"math/rand/v2"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
)

// family is a kind of model, and what random policies for it consist of.
type family struct{ policygen.Family }

const (
	someAllow      = policygen.SomeAllow
	allowAndDeny   = policygen.AllowAndDeny
	firstMatch     = policygen.FirstMatch
	subjectFirst   = policygen.SubjectFirst
	anyAct         = policygen.AnyAction
	plainRequest   = policygen.PlainRequest
	tenantsRequest = policygen.TenantsRequest
)

func modelText(r, p, g, e, m string) string { return policygen.ModelText(r, p, g, e, m) }

func pick(rnd *rand.Rand, from []string) string { return policygen.Pick(rnd, from) }

func families() []family {
	var all []family
	for _, f := range policygen.Families() {
		all = append(all, family{f})
	}
	return all
}
