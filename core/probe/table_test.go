package probe

import (
	"maps"
	"testing"
)

// TestTableSaysWhatEverybodyShouldGet: the public routes and the policy say what senders
// should get, below the base path; otherwise nothing is expected.
func TestTableSaysWhatEverybodyShouldGet(t *testing.T) {
	s := &Settings{
		Base:       "/v1",
		Routes:     []Route{{Method: "GET", Pattern: "/healthz", Public: true}, {Method: "ANY", Pattern: "/reports/:id"}},
		Identities: []Identity{{Name: "erin"}, {Name: "victor"}, {Name: "stale", Bad: true}},
		Expect: func(as, _, path string) Verdict {
			switch {
			case path != "/reports/1":
				return Unknown
			case as == "erin":
				return Allow
			}
			return Deny
		},
	}
	table := Table{People: []string{Anonymous, "erin", "victor", "stale"}, Rows: []Row{
		{Method: "GET", Path: "/v1/healthz"}, {Method: "GET", Path: "/v1/reports/1"}, {Method: "GET", Path: "/v1/other"},
	}}
	table.Expect(s)
	for i, want := range []map[string]string{
		{Anonymous: "2xx", "erin": "2xx", "victor": "2xx"},
		{Anonymous: "401", "erin": "2xx", "victor": "403"},
		{Anonymous: "401"},
	} {
		if got := table.Rows[i].Want; !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", table.Rows[i].Path, got, want)
		}
	}
}
