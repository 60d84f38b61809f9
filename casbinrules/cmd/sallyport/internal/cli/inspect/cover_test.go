package inspect

import (
	"encoding/json"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
)

// TestCoverage: a line is covered if a passing test depends on it.
func TestCoverage(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy,
		"policy.tests": "allow erin /reports/7 PATCH\nallow victor /reports GET\ndeny victor /reports/7 PATCH\n",
		"all.tests":    "allow erin /reports/7 PATCH\nallow erin /reports/7 PUT\nallow erin /reports GET\nallow victor /reports/7 GET\nallow alice /other PUT\n",
		"wrong.tests":  "deny alice /other PUT\n"})
	const lines = "3 passed, 0 failed\n" +
		"not covered: policy.csv:3: p, viewer, /reports/:id, GET\n" +
		"not covered: policy.csv:4: p, editor, /reports/:id, PUT\n" +
		"not covered: policy.csv:6: p, admin, /*, *\n" +
		"not covered: policy.csv:7: g, editor, viewer\n" +
		"not covered: policy.csv:10: g, alice, admin\n" +
		"coverage: 4 of 9 lines, 44.4%"
	expect(t, dir, "", exitOK, lines+"\n", "", "test", "--cover", "DIR/policy.tests")
	expect(t, dir, "", exitOK, lines+"\n", "", "test", "--min", "44", "DIR/policy.tests")
	expect(t, dir, "", exitFindings, lines+", less than 45%\n", "", "test", "--min", "45", "DIR/policy.tests")
	expect(t, dir, "", exitOK, "5 passed, 0 failed\ncoverage: 9 of 9 lines, 100.0%\n", "", "test", "--min", "100", "DIR/all.tests")
	expect(t, dir, "", exitUsage, "", "--min", "test", "--min", "101", "DIR/all.tests")
	var got struct {
		Coverage *policytest.Coverage
	}
	out := run(t, dir, "", "test", "--cover", "--format", "json", "DIR/wrong.tests")
	if err := json.Unmarshal([]byte(out.Stdout), &got); err != nil || out.Code != exitFindings || got.Coverage == nil || got.Coverage.Covered != 0 || len(got.Coverage.NotCovered) != 9 {
		t.Errorf("json: %v, %+v", err, out)
	}
}
