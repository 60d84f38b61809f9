package quoted

import (
	"reflect"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// Tests and arguments are quoted like policy lines.
func TestValuesAreQuotedLikePolicyLines(t *testing.T) {
	for _, text := range []string{
		`"Ops, Platform"`, `"a ""b"""`, `"back\slash"`, `""`, `" "`, `"x`, `"x""`, `"x" y`, `"x"y`, `x"y"`, `x`, `x "`, `a b`, `"#"`,
	} {
		a, err := casbinrules.OpenFS(fstest.MapFS{"p.csv": {Data: []byte("p, u, /x, " + text + "\n")}}, casbinrules.RBAC(), []string{"p.csv"}, casbinrules.WithCasbinSemantics())
		got, listErr := List(text)
		if (err == nil) != (listErr == nil) {
			t.Errorf("%s: a policy says %v, this says %v", text, err, listErr)
			continue
		}
		if err == nil && !reflect.DeepEqual(got, a.Rules()[0].Fields[2:]) {
			t.Errorf("%s: read as %q here and %q in a policy", text, got, a.Rules()[0].Fields[2:])
		}
	}
	for _, value := range []string{"", "a", `a"b`, `"`, "a, b", " a "} {
		if got, err := List(" " + Quote(value) + " , " + Quote(value)); err != nil || !reflect.DeepEqual(got, []string{value, value}) {
			t.Errorf("%q: read back as %q, %v", value, got, err)
		}
	}
}
