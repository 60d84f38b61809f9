package cli

import (
	"fmt"
	"strings"
	"testing"
)

// TestFilesOfOneName: every output that names the deciding line distinguishes files with
// the same name in different folders.
func TestFilesOfOneName(t *testing.T) {
	dir := write(t, map[string]string{
		"model.conf":       "rbac",
		"a/policy.csv":     "p, viewer, /a, GET\n",
		"b/policy.csv":     "p, viewer, /b, GET\n",
		"b/sub/policy.csv": "p, viewer, /c, GET\n",
		"other.csv":        "p, viewer, /d, GET\n",
		"policy.tests":     "allow sam[viewer] /b GET\n",
		"decisions.jsonl": `{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","outcome":"forbidden","status":403,"reason":"no_rule_matched","gate":"authorize",` +
			`"request":{"principal":"sam","token_roles":["viewer"],"method":"GET","action":"GET","route":"/c","resource":"/c"},"duration_us":18}` + "\n",
	})
	of := func(args ...string) []string {
		return append(args, "-m", "DIR/model.conf", "-p", "DIR/a/policy.csv", "-p", "DIR/b/policy.csv", "-p", "DIR/b/sub/policy.csv", "-p", "DIR/other.csv")
	}
	for object, place := range map[string]string{"/a": "a/policy.csv:1", "/b": "b/policy.csv:1", "/c": "sub/policy.csv:1", "/d": "other.csv:1"} {
		wants(t, dir, 0, place+" allows it", of("explain", "sam:viewer", object, "GET")...)
		wants(t, dir, 0, place, of("objects", "sam:viewer", "GET")...)
	}
	wants(t, dir, 0, "a/policy.csv:1|sub/policy.csv:1|other.csv:1|coverage: 1 of 4 lines", of("test", "--cover", "DIR/policy.tests")...)
	wants(t, dir, 1, "25.0%", of("test", "--min", "100", "DIR/policy.tests")...)
	wants(t, dir, 0, "(new sub/policy.csv:1)|  a/policy.csv:1|  b/policy.csv:1|  other.csv:1", of("replay", "DIR/decisions.jsonl")...)
	sarif := run(t, dir, "", of("replay", "--format", "sarif", "DIR/decisions.jsonl")...)
	for _, file := range []string{"a/policy.csv", "b/policy.csv", "b/sub/policy.csv", "other.csv"} {
		if n := strings.Count(sarif.Stdout, `"uri": "file://`+file+`"`); n != 1 {
			t.Errorf("%s is %d times in %s", file, n, sarif.Stdout)
		}
	}
	matrix := run(t, dir, "", of("matrix", "--format", "json")...)
	for _, file := range []string{"a/policy.csv", "b/policy.csv", "b/sub/policy.csv", "other.csv"} {
		if n := strings.Count(matrix.Stdout, fmt.Sprintf(`"file": %q`, file)); n != 1 {
			t.Errorf("%s is %d times in %s", file, n, matrix.Stdout)
		}
	}
}
