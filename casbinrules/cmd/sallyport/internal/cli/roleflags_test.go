package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// TestAtFlag: links with a start and an end are evaluated at the given time.
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

// TestDefaultRoleFlag: everyone with credentials has the role, and no one else.
func TestDefaultRoleFlag(t *testing.T) {
	dir := write(t, map[string]string{"policy.csv": "p, reader, /x, GET\n"})
	check := []string{"check", "-m", "rbac", "-p", "DIR/policy.csv", "--allow-anonymous"}
	expect(t, dir, "ann, /x, GET\n", exitOK, "deny\n", "", check...)
	expect(t, dir, "ann, /x, GET\nanonymous, /x, GET\n", exitOK, "allow\ndeny\n", "", append(check, "--default-role", "reader")...)
}

// TestEveryCommandCountsTheDefaultRole: the roles of --default-role and policy.default
// belong to everyone who is signed in, and to no one else.
func TestEveryCommandCountsTheDefaultRole(t *testing.T) {
	const policy = "p, reader, /x, GET\np, editor, /x, PUT\np, anonymous, /open, GET\ng, ann, editor\n"
	const line = `{"v":1,"kind":"decision","seq":%d,"time":"2001-05-01T00:00:00Z","outcome":"%s","status":200,"gate":"authorize","request":{%s"method":"GET","action":"GET","route":"/x","resource":"/x"},"duration_us":3}` + "\n"
	inYAML := "  policy.csv: |\n    " + strings.ReplaceAll(strings.TrimSuffix(policy, "\n"), "\n", "\n    ") + "\n"
	dir := write(t, map[string]string{
		"policy.csv": policy, "none.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n" + inYAML, "cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  policy.default: reader\n" + inYAML,
		"log.jsonl": fmt.Sprintf(line, 1, "forbidden", `"principal":"zoe",`) + fmt.Sprintf(line, 2, "unauthenticated", ""),
		"a.tests":   "allow zoe[] /x GET\ndeny zoe[] /x PUT\ndeny anonymous /x GET\n",
		"conflicts": "roles, reader, editor\n",
	})
	for _, given := range [][]string{{"-p", "DIR/policy.csv", "--default-role", "reader"}, {"-p", "DIR/cm.yaml"}} {
		given = append(given, "-m", "rbac", "--allow-anonymous")
		for _, c := range []struct{ args, want string }{
			{"explain zoe /x GET", "allow: zoe"},
			{"explain anonymous /x GET", "deny: anonymous"},
			{"test DIR/a.tests", "3 passed, 0 failed"},
			{"matrix --users --format csv", "method,route,sample,(no other role),anonymous,reader,editor,ann\nGET,/x,/x,allow,deny,allow,allow,allow\nPUT,/x,/x,deny,deny,deny,allow,allow\n"},
			{"matrix", "note: everybody who is signed in "},
			{"objects zoe GET", "/x  "},
			{"objects zoe GET /x /y", "/x\n"},
			{"objects anonymous GET", "/open  "},
			{"subjects /x GET", "user ann\nrole ann\nrole editor\nrole reader\nanybody\n"},
			{"subjects /x PUT", "user ann\nrole ann\nrole editor\n"},
			{"replay DIR/log.jsonl", "+ 1 x GET /x (new "},
			{"replay DIR/log.jsonl", "1 request would be allowed, 0 refused, of 2 compared"},
			{"report --conflicts DIR/conflicts", "user ann has both reader and editor"},
			{"report", ">everybody who is signed in "},
		} {
			got := run(t, dir, "", append(strings.Fields(c.args), given...)...)
			if got.Code != exitOK || !strings.Contains(got.Stdout, c.want) {
				t.Errorf("%v: no %q in %+v", append(strings.Fields(c.args), given...), c.want, got)
			}
		}
	}
	for _, c := range []struct{ old, now, want string }{
		{"none.yaml", "cm.yaml", "+ (no other role) gains GET /x (new cm.yaml:"},
		{"cm.yaml", "none.yaml", "- (no other role) loses GET /x (old cm.yaml:"},
		{"cm.yaml", "cm.yaml", "no change in effect"},
	} {
		if got := run(t, dir, "", "diff", "-m", "rbac", "DIR/"+c.old, "DIR/"+c.now); got.Code != exitOK || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%s, %s: no %q in %+v", c.old, c.now, c.want, got)
		}
	}
}

// TestReportCountsRolesOfTheDefaultRole: roles inherited by the default role belong
// to everyone, too, and the role itself is not an orphan. Names in the policy have a
// prefix.
func TestReportCountsRolesOfTheDefaultRole(t *testing.T) {
	const policy = "p, role:reader, /x, GET\np, role:base, /y, GET\np, role:editor, /x, PUT\np, role:orphan, /x, PUT\ng, ann, role:editor\ng, role:reader, role:base\n"
	dir := write(t, map[string]string{
		"policy.csv": policy, "conflicts": "roles, base, editor\n",
		"cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  policy.default: role:reader\n  policy.csv: |\n    " + strings.ReplaceAll(strings.TrimSuffix(policy, "\n"), "\n", "\n    ") + "\n",
	})
	for _, given := range [][]string{{"-p", "DIR/policy.csv", "--default-role", "reader"}, {"-p", "DIR/cm.yaml"}} {
		got := run(t, dir, "", append([]string{"report", "--conflicts", "DIR/conflicts", "-m", "rbac", "--role-prefix", "role:"}, given...)...)
		if n := strings.Count(got.Stdout, "no g line gives anybody the role "); n != 1 || !strings.Contains(got.Stdout, "user ann has both base and editor") {
			t.Errorf("%v: %d orphans, and conflicts in %+v", given, n, got)
		}
	}
}

// TestReplayJudgesLinksByTheTimeOfTheLine: what was allowed in summer is not a change in
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
	if got := run(t, dir, "", "report", "-p", "DIR/policy.csv", "--log", "DIR/log.jsonl"); got.Code != exitOK || !strings.Contains(got.Stdout, "Every line has decided some request.") {
		t.Errorf("report: %+v", got)
	}
}

// TestDiffComparesFutureTimes: policies are compared at each time at which a role link
// begins or ends, and just after.
func TestDiffComparesFutureTimes(t *testing.T) {
	timed := strings.Replace(casbinrules.RBACWithDeny().Text(), "g = _, _", "g = _, _, (_, _)", 1)
	dir := write(t, map[string]string{
		"model.conf":  timed,
		"old.csv":     "p, a, /x, GET, allow\ng, u, a, _, 2090-01-01 00:00:00\n",
		"forever.csv": "p, a, /x, GET, allow\ng, u, a, _, _\n",
		"later.csv":   "p, a, /x, GET, allow\ng, u, a, _, 2090-01-01 00:00:00\ng, v, a, 2090-01-01 00:00:00, _\n",
		"next.csv":    "p, a, /x, GET, allow\ng, b, a, 2090-01-01 00:00:00, _\n",
		"through.csv": "p, a, /x, GET, allow\ng, b, a, 2090-01-01 00:00:00, _\ng, w, b, _, _\n",
		"nobody.csv":  "p, a, /x, GET, allow\ng, anonymous, a, _, 2090-01-01 00:00:00\n",
		"always.csv":  "p, a, /x, GET, allow\ng, anonymous, a, _, _\n",
		"gains.csv":   "p, a, /x, GET, allow\ng, u, a, _, 2090-01-01 00:00:00\ng, v, a, _, 2091-01-01 00:00:00\n",
		"over.csv":    "p, a, /x, GET, allow\ng, u, a, _, 2090-01-01 00:00:00\ng, v, a, _, 2001-01-01 00:00:00\n",
		"banned.csv":  "p, a, /x, GET, allow\np, no, /x, GET, deny\ng, u, a, _, _\ng, u, no, _, _\n",
		"gap.csv":     "p, a, /x, GET, allow\np, no, /x, GET, deny\ng, u, a, _, _\ng, u, c, _, 2090-01-01 00:00:00\ng, c, no, _, _\ng, u, d, 2090-01-01 00:00:00, _\ng, d, no, _, _\n",
		"empty.csv":   "p, a, /y, GET, allow\ng, u, a, _, 2090-01-01 00:00:00.5\n",
		"role.csv":    "p, a, /x, GET, allow\np, a, /y, GET, allow\ng, u, a, _, 2090-01-01 00:00:00\ng, v, a, 2090-01-01 00:00:00, _\n",
	})
	for _, c := range []struct {
		old, now, at, want string
		code               int
	}{
		{"next", "through", "", "+ w gains GET /x from 2090-01-01 00:00:00 (new through.csv:1)\n- b loses GET /x from 2090-01-01 00:00:00 (old next.csv:1)\n1 gained, 1 lost", exitFindings},
		{"next", "through", "2089-01-01 00:00:00", "no change in effect", exitOK},
		{"next", "through", "2091-01-01 00:00:00", "+ w gains GET /x (new", exitFindings},
		{"old", "gains", "", "+ v gains GET /x (new", exitFindings},
		{"old", "forever", "", "+ u gains GET /x from 2090-01-01 00:00:00 (new forever.csv:1)\n1 gained, 0 lost", exitFindings},
		{"forever", "old", "", "- u loses GET /x from 2090-01-01 00:00:00 (old forever.csv:1)\n0 gained, 1 lost", exitOK},
		{"old", "later", "", "+ v gains GET /x from 2090-01-01 00:00:00 (new later.csv:1)\n1 gained, 0 lost", exitFindings},
		{"old", "over", "", "no change in effect", exitOK},
		{"old", "old", "", "no change in effect", exitOK},
		{"old", "later", "2089-12-31 00:00:00", "no change in effect", exitOK},
		{"old", "forever", "2091-01-01 00:00:00", "+ u gains GET /x (new", exitFindings},
		{"banned", "gap", "", "+ u gains GET /x from 2090-01-01 00:00:00 (new gap.csv:1)\n- a + c loses", exitFindings},
		{"banned", "gap", "2090-01-01 00:00:00", "+ u gains GET /x (new", exitFindings},
		{"banned", "gap", "2090-01-01 00:00:01", "- a + c loses", exitOK},
		{"later", "role", "", "+ a gains GET /y (new role.csv:2); so do u, v\n1 gained, 0 lost", exitFindings},
		{"empty", "old", "", "+ a gains GET /x (new old.csv:1); so does u\n- a loses GET /y (old empty.csv:1); so does u\n1 gained, 1 lost", exitFindings},
	} {
		args := []string{"diff", "-m", "DIR/model.conf", "--fail-on", "widen", "DIR/" + c.old + ".csv", "DIR/" + c.now + ".csv"}
		if c.at != "" {
			args = append(args, "--at", c.at)
		}
		if got := run(t, dir, "", args...); got.Code != c.code || !strings.HasPrefix(got.Stdout, c.want) || got.Stderr != "" {
			t.Errorf("%s %s at %q: got %+v, want %d %q", c.old, c.now, c.at, got, c.code, c.want)
		}
	}
	got := run(t, dir, "", "diff", "DIR/next.csv", "DIR/through.csv", "--format", "json")
	if !strings.Contains(got.Stdout, `"from": "2090-01-01 00:00:00",`) {
		t.Errorf("JSON: %+v", got)
	}
	got = run(t, dir, "", "diff", "DIR/nobody.csv", "DIR/always.csv", "--allow-anonymous")
	if !strings.HasPrefix(got.Stdout, "+ anonymous gains GET /x from 2090-01-01 00:00:00 (new always.csv:1)\n1 gained, 0 lost") {
		t.Errorf("anonymous: %+v", got)
	}
	got = run(t, dir, "", "diff", "DIR/next.csv", "DIR/through.csv", "--limit", "10")
	if got.Code != exitUsage || !strings.Contains(got.Stderr, "or one time with --at") {
		t.Errorf("--limit: %+v", got)
	}
}
