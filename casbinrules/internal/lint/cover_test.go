package lint

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// TestCoverOfLongPatterns: a search gives up on patterns of very many segments, and then
// counts them as covered.
func TestCoverOfLongPatterns(t *testing.T) {
	long := strings.Repeat("/a", maxVisits+1)
	c := &model.Settings{Casbin: casbinv2.Casbin, AsCasbin: true}
	s := model.ReadSchema("model.conf", model.Preset("rbac.conf"), c)
	p := policy.NewReader(s, c)
	p.Read("policy.csv", []byte("p, ann, "+long+", PUT\n"))
	x := newCoverIndex(s, p.Texts, readShape(s))
	x.take(p.Rules, c)
	if !x.answers(p.Rules[0], 0, long, "PATCH", "") {
		t.Error("the search is sure of a pattern that it does not get to the end of")
	}
	if x.answers(p.Rules[0], 0, long[2:4], "PATCH", "") {
		t.Error("the search finds a rule that there is not")
	}
}
