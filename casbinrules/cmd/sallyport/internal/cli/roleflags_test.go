package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// TestAtFlag: links with a start and an end are judged as at another time.
func TestAtFlag(t *testing.T) {
	dir := write(t, map[string]string{
		"model.conf": strings.Replace(casbinrules.RBAC().Text(), "g = _, _", "g = _, _, (_, _)", 1),
		"policy.csv": "p, editor, /x, GET\ng, ann, editor, 2099-06-01 00:00:00, 2099-09-01 00:00:00\n",
	})
	check := []string{"check", "-p", "DIR/policy.csv"}
	expect(t, dir, "ann, /x, GET\n", exitOK, "deny\n", "", check...)
	expect(t, dir, "ann, /x, GET\n", exitOK, "allow\n", "", append(check, "--at", "2099-07-01 00:00:00")...)
	expect(t, dir, "ann, /x, GET\n", exitOK, "deny\n", "", append(check, "--at", "2099-10-01 00:00:00")...)
	expect(t, dir, "", exitUsage, "", "write a time in UTC", append(check, "--at", "tomorrow")...)
}

// TestDefaultRoleFlag: everybody with credentials has the role, and nobody else.
func TestDefaultRoleFlag(t *testing.T) {
	dir := write(t, map[string]string{"policy.csv": "p, reader, /x, GET\n"})
	check := []string{"check", "-m", "rbac", "-p", "DIR/policy.csv", "--allow-anonymous"}
	expect(t, dir, "ann, /x, GET\n", exitOK, "deny\n", "", check...)
	expect(t, dir, "ann, /x, GET\nanonymous, /x, GET\n", exitOK, "allow\ndeny\n", "", append(check, "--default-role", "reader")...)
}

// TestReplayJudgesLinksByTheTimeOfTheLine: what was right in summer is no change in
// winter.
func TestReplayJudgesLinksByTheTimeOfTheLine(t *testing.T) {
	const line = `{"v":1,"kind":"decision","seq":%d,"time":"2001-%sT00:00:00Z","outcome":"%s","status":%d,"gate":"authorize",%s"request":{"principal":"ann","method":"GET","action":"GET","route":"/x","resource":"/x"},"duration_us":3}` + "\n"
	var log strings.Builder
	for i, l := range []struct{ day, space string }{{"05-01", ""}, {"07-01", ""}, {"07-01", " "}, {"08-15", ""}, {"07-02", ""}, {"10-01", ""}} {
		outcome, status := "allowed", 200
		if l.day < "06-01" || l.day > "09-01" {
			outcome, status = "forbidden", 403
		}
		fmt.Fprintf(&log, line, i+1, l.day, outcome, status, l.space)
	}
	const summer = "p, editor, /x, GET\ng, ann, editor, 2001-06-01 00:00:00, 2001-09-01 00:00:00\n"
	dir := write(t, map[string]string{
		"model.conf": strings.Replace(casbinrules.RBAC().Text(), "g = _, _", "g = _, _, (_, _)", 1),
		"policy.csv": summer, "short.csv": strings.Replace(summer, "2001-09", "2001-08", 1), "always.csv": "p, editor, /x, GET\ng, ann, editor, _, _\n", "log.jsonl": log.String(),
	})
	replay := []string{"replay", "-p", "DIR/policy.csv", "DIR/log.jsonl"}
	expect(t, dir, "", exitOK, "no request is decided otherwise, of 6 compared\n", "", replay...)
	expect(t, dir, "", exitOK, "- 1 x GET /x (old policy.csv:1): ann 1\n0 requests would be allowed, 1 refused, of 6 compared\n", "",
		append(replay, "--old", "DIR/policy.csv", "--new", "DIR/short.csv")...)
	expect(t, dir, "", exitOK, "+ 2 x GET /x (new always.csv:1): ann 2\n2 requests would be allowed, 0 refused, of 6 compared\n", "",
		append(replay, "--old", "DIR/policy.csv", "--new", "DIR/always.csv")...)
	expect(t, dir, "", exitOK, "+ 2 x GET /x (new policy.csv:1): ann 2\n2 requests would be allowed, 0 refused, of 6 compared\n", "",
		append(replay, "--at", "2001-07-01 00:00:00")...)
	if got := run(t, dir, "", "report", "-p", "DIR/policy.csv", "--log", "DIR/log.jsonl"); got.code != exitOK || !strings.Contains(got.stdout, "Every line has decided some request.") {
		t.Errorf("report: %+v", got)
	}
}
