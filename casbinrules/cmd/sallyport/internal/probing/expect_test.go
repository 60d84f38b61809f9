package probing_test

import (
	"log/slog"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/probing"
	"github.com/sallyport-go/sallyport/core/probe"
)

// TestPeopleNamedLikeRolesHaveThem: a person named like a role has it, whatever roles
// everyone has.
func TestPeopleNamedLikeRolesHaveThem(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"policy.csv": {Data: []byte("p, reader, /*, GET\np, editor, /x, PUT\ng, ann, editor\n")}}
	a, err := casbinrules.OpenFS(files, casbinrules.RBAC(), []string{"policy.csv"}, casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	for _, alone := range []string{"", "reader"} {
		p := probing.Policy{
			Authorizer: &ask.Policy{Authorizer: a, Alone: alone},
			Canonical:  func(q ask.Question) (ask.Question, string, error) { return q, "", nil },
		}
		p.Prepare(t.Context(), []probing.Person{{Name: "editor"}, {Name: "zoe"}})
		for as, want := range map[string]probe.Verdict{"editor": probe.Allow, "zoe": probe.Deny} {
			if got := p.Expect(t.Context(), as, "PUT", "/x"); got != want {
				t.Errorf("%s, if everyone has the role %q: %v", as, alone, got)
			}
		}
	}
}
