package casbinrules

import (
	"slices"
	"testing"
)

// TestRoutersSpellingsHaveTheRightHint: a segment copied from a route is proposed as the
// policy's function spells it.
func TestRoutersSpellingsHaveTheRightHint(t *testing.T) {
	t.Parallel()
	const (
		rest    = "write * in its place"
		literal = "use keyMatch2 in the model, or WithRouteAsObject (--object-route, route_as_object) if routes are meant"
		end     = "leave it out, and the slash in front of it"
		one     = "give the segment one parameter and nothing behind it"
	)
	for _, c := range []struct{ function, object, want string }{
		{"keyMatch2", "/files/+", rest}, {"keyMatch3", "/files/+", rest}, {"keyMatch", "/files/+", rest}, {"globMatch", "/files/+", "write ** in its place"},
		{"keyMatch", "/files/{path...}", rest}, {"globMatch", "/files/{path...}", "write ** in its place"},
		{"keyMatch2", "/r/:id?", "write two lines, for /r/:id and for /r"}, {"keyMatch3", "/r/:id?", "write two lines, for /r/{id} and for /r"},
		{"keyMatch4", "/r/{id}?", "write two lines, for /r/{id} and for /r"}, {"globMatch", "/r/:id?", "write two lines, for /r/* and for /r"},
		{"keyMatch2", "/:id?", "write two lines, for /:id and for /"}, {"keyMatch", "/r/:id?", literal},
		{"keyMatch2", "/r/{$}", end}, {"keyMatch3", "/r/{$}", end}, {"keyMatch", "/r/{$}", end},
		{"keyMatch2", "/r/:id<int>", one}, {"keyMatch3", "/r/:id<int>", "write {name}"}, {"keyMatch3", "/r/{id:[0-9]+}", "write {name}"},
		{"keyMatch2", "/r/{id:[0-9]+}", "write :name"},
		{"keyMatch2", "/r/:report-id", ""}, {"keyMatch3", "/r/{report-id}", ""}, {"globMatch", "/r/*suffix", ""}, {"keyMatch2", "/a+b/:id", `write \+`},
	} {
		found, err := LintFS(files("p.csv", "p, ann, \""+c.object+"\", GET\n"), byFunction(c.function), []string{"p.csv"})
		var hints []string
		for _, f := range found {
			hints = append(hints, f.Hint)
		}
		if err != nil || (c.want == "") != (len(hints) == 0) || c.want != "" && !slices.Equal(hints, []string{c.want}) {
			t.Errorf("%s %s: %q, %v; want %q", c.function, c.object, hints, err, c.want)
		}
	}
}
