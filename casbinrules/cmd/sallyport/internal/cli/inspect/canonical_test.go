package inspect

import (
	"strings"
	"testing"
)

// denied refuses erin one report and nothing else, so that a path not read as by a gate
// gets another answer.
const denied = "p, editor, /reports/:id, GET, allow\np, erin, /reports/8, GET, deny\ng, erin, editor\n"

// TestObjectsAreReadAsAGateReadsThem has paths in the spellings of requests. asked is the
// path that a gate judges, why the reason of its 400.
func TestObjectsAreReadAsAGateReadsThem(t *testing.T) {
	for _, c := range []struct{ object, asked, why string }{
		{object: "/reports/7"},
		{object: "/reports/:id"},
		{object: "/reports/{id}"},
		{object: "/reports/*"},
		{object: "reports/7/"},
		{object: "reports?x=1"},
		{object: "/"},
		{object: "/reports/7/", asked: "/reports/7"},
		{object: "/reports/7?x=1", asked: "/reports/7"},
		{object: "/reports/7?", asked: "/reports/7"},
		{object: "/reports/7/?x=//..", asked: "/reports/7"},
		{object: "/reports/%37", asked: "/reports/7"},
		{object: "/%72eports/7/", asked: "/reports/7"},
		{object: "/reports/%38", asked: "/reports/8"},
		{object: "/reports/8/", asked: "/reports/8"},
		{object: "/reports/a%20b", asked: "/reports/a b"},
		{object: "/reports/c%23", asked: "/reports/c#"},
		{object: "/reports/100%25", asked: "/reports/100%"},
		{object: "/reports/7#top", why: "a raw #"},
		{object: "//", why: "an empty segment"},
		{object: "//reports/7", why: "an empty segment"},
		{object: "/reports//7", why: "an empty segment"},
		{object: "/reports/7//", why: "an empty segment"},
		{object: "/reports/./7", why: "a dot segment"},
		{object: "/x/../reports/7", why: "a dot segment"},
		{object: "/reports/7/..", why: "a dot segment"},
		{object: "/x/%2e%2E/reports/7", why: "a dot segment"},
		{object: "/reports/7%2F", why: "an encoded slash"},
		{object: "/reports%2f7", why: "an encoded slash"},
		{object: `/reports\7`, why: "a backslash"},
		{object: "/reports/%5C7", why: "a backslash"},
		{object: "/reports/%2537", why: "percent-encoded twice"},
		{object: "/reports/100%", why: "a percent sign that encodes nothing"},
		{object: "/reports/%zz", why: "a percent sign that encodes nothing"},
		{object: "/reports/%00", why: "a control character"},
		{object: "/reports/%ff", why: "not valid UTF-8"},
	} {
		t.Run(c.object, func(t *testing.T) { testObject(t, c.object, c.asked, c.why) })
	}
}

func testObject(t *testing.T, object, asked, why string) {
	dir := write(t, map[string]string{"model.conf": "rbac-deny", "policy.csv": denied})
	note := ""
	if asked != "" {
		note = "note: " + object + " is read as " + asked + ", "
	} else {
		asked = object
	}
	answer := "deny"
	if strings.HasPrefix(asked, "/reports/") && asked != "/reports/8" {
		answer = "allow"
	}
	noted := func(of string, got outcome, note string) {
		t.Helper()
		if note == "" && strings.Contains(got.Stderr, "is read as") || !strings.Contains(got.Stderr, note) {
			t.Errorf("%s: want %q in %+v", of, note, got)
		}
	}

	explained := run(t, dir, "", "explain", "-p", "DIR", "erin", object, "GET")
	checked := run(t, dir, "victor, /, GET\nerin, "+object+", GET\n", "check", "-p", "DIR")
	tests := write(t, map[string]string{"allow": "allow erin \"" + object + "\" GET\n", "deny": "deny erin \"" + object + "\" GET\n"})
	allows := run(t, tests, "", "test", "-p", dir, "DIR/allow", "--allow-unknown")
	denies := run(t, tests, "", "test", "-p", dir, "DIR/deny", "--allow-unknown")
	if why != "" {
		if explained.Code != exitUsage || explained.Stdout != "" || !strings.Contains(explained.Stderr, why) || !strings.Contains(explained.Stderr, "400") {
			t.Errorf("explain: got %+v", explained)
		}
		if first, second, _ := strings.Cut(checked.Stdout, "\n"); checked.Code != exitFindings || first != "deny" || !strings.HasPrefix(second, "error: ") || !strings.Contains(second, why) {
			t.Errorf("check: got %+v", checked)
		}
		for _, got := range []outcome{allows, denies} {
			if got.Code != exitFindings || !strings.Contains(got.Stdout, why) || !strings.Contains(got.Stdout, "0 passed, 1 failed") {
				t.Errorf("test: got %+v", got)
			}
		}
		return
	}
	if explained.Code != exitOK || !strings.HasPrefix(explained.Stdout, answer+":") {
		t.Errorf("explain: want %s, got %+v", answer, explained)
	}
	noted("explain", explained, note)
	if checked.Code != exitOK || checked.Stdout != "deny\n"+answer+"\n" {
		t.Errorf("check: want %s, got %+v", answer, checked)
	}
	if note == "" {
		noted("check", checked, "")
	} else {
		noted("check", checked, "line 2: "+note)
	}
	right, wrong := allows, denies
	if answer == "deny" {
		right, wrong = denies, allows
	}
	if right.Code != exitOK || wrong.Code != exitFindings || !strings.Contains(wrong.Stdout, "FAIL: ") {
		t.Errorf("test: want %s, got %+v and %+v", answer, right, wrong)
	}
	noted("test", right, strings.Replace(note, "note: ", "hint: ", 1))
}

func TestObjectsStayAsTheyAreForCasbinAndForRoutes(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": "p, erin, /reports/, GET\np, erin, /x//y, GET\n",
		"a.tests": "allow erin /reports/ GET\nallow erin /x//y GET\n"})
	for _, flag := range []string{"--as-casbin", "--object-route"} {
		for _, object := range []string{"/reports/", "/x//y"} {
			got := run(t, dir, "", "explain", "-p", "DIR", flag, "erin", object, "GET")
			if got.Code != exitOK || !strings.HasPrefix(got.Stdout, "allow:") || got.Stderr != "" {
				t.Errorf("explain %s %s: got %+v", flag, object, got)
			}
		}
		expect(t, dir, "erin, /reports/, GET\nerin, /x//y, GET\n", exitOK, "allow\nallow\n", "", "check", "-p", "DIR", flag)
		expect(t, dir, "", exitOK, "2 passed, 0 failed\n", "", "test", flag, "DIR/a.tests")
	}
}

func TestEncodedSlashesAreForGuardsThatLetThemThrough(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": "p, erin, /@scope%2Fname, GET\n",
		"a.tests": "allow erin /@scope%2Fname GET\nallow erin /@scope%2fname/ GET\n"})
	got := run(t, dir, "", "explain", "-p", "DIR", "erin", "/@scope%2Fname", "GET")
	if got.Code != exitUsage || !strings.Contains(got.Stderr, "say --encoded-slashes if the guard has core.WithEncodedSlashes") {
		t.Errorf("without the flag: got %+v", got)
	}
	got = run(t, dir, "", "explain", "-p", "DIR", "--encoded-slashes", "erin", "/@scope%2Fname", "GET")
	if got.Code != exitOK || !strings.HasPrefix(got.Stdout, "allow:") || got.Stderr != "" {
		t.Errorf("explain: got %+v", got)
	}
	expect(t, dir, "erin, /@scope%2Fname, GET\nerin, /%2e%2Fname, GET\n", exitFindings,
		"allow\nerror: a gate answers 400 to the path /%2e%2Fname: ambiguous path: it contains a dot segment\n", "",
		"check", "-p", "DIR", "--encoded-slashes")
	expect(t, dir, "", exitOK, "2 passed, 0 failed\n", "a.tests:2: hint: /@scope%2fname/ is read as /@scope%2Fname, ", "test", "--encoded-slashes", "DIR/a.tests")
}
