package doctor

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestInstancesAreCountedTogether: nothing that one of them has seen is lost, and that they
// decide by different policies is found.
func TestInstancesAreCountedTogether(t *testing.T) {
	t.Parallel()
	denied := Kind{"forbidden", "missing_role"}
	one := &Counts{Allowed: 3, Lines: 5, Unread: map[string]int{tooLong: 1}, Notes: []Finding{{Plumbing: keys, Alert: keySetStale}}, revisions: map[string]string{"": "a", "tenants": "x"}}
	two := &Counts{Allowed: 4, Lines: 6, Unread: map[string]int{tooLong: 2}, Notes: []Finding{{Plumbing: keys, Alert: keySetStale}}, revisions: map[string]string{"": "b", "tenants": "x"}}
	one.Add(denied, 1, "/a", "r", "Bearer")
	two.Add(denied, 2, "/b", "r", "Basic")
	c := Together([]*Counts{one, two})
	if c.Allowed != 7 || c.Lines != 11 || c.Unread[tooLong] != 3 || c.Total() != 10 {
		t.Errorf("%+v", c)
	}
	if got := c.Refused[denied]; got.Number != 3 || !maps.Equal(got.Routes, map[string]float64{"/a": 1, "/b": 2}) || got.Rules["r"] != 3 || got.Schemes["Basic"] != 2 {
		t.Errorf("%+v", got)
	}
	var alerts []string
	for _, f := range c.Notes {
		alerts = append(alerts, f.Alert)
		if f.Alert == revisionsDiffer && f.Seen != "2 instances decide by 2 policies: a, b" {
			t.Error(f.Seen)
		}
	}
	if !slices.Equal(alerts, []string{keySetStale, revisionsDiffer}) {
		t.Errorf("noted %v", alerts)
	}
}

// TestWhatIsAFinding: refusals from a twentieth of the requests on, and outages and faults
// always.
func TestWhatIsAFinding(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind   Kind
		number float64
		found  bool
	}{
		{Kind{"forbidden", "missing_role"}, 4.9, false}, {Kind{"forbidden", "missing_role"}, 5, true},
		{Kind{"unavailable", "dependency_unavailable"}, 1, true}, {Kind{"error", "panic"}, 1, true}, {Kind{"error", "panic"}, 0, false},
		{Kind{"unavailable", "development_key"}, 1, true}, {Kind{"unavailable", "unknown_key"}, 1, false},
	} {
		c := &Counts{Allowed: 100 - tt.number}
		c.Add(tt.kind, tt.number, "", "", "")
		if found := c.Diagnose(); (len(found) == 1) != tt.found {
			t.Errorf("%v of a hundred %v: %+v", tt.number, tt.kind, found)
		}
	}
}

// TestMissingKeysExplainOutages of tokens, and of nothing else.
func TestMissingKeysExplainOutages(t *testing.T) {
	t.Parallel()
	down := Kind{"unavailable", "dependency_unavailable"}
	for _, tt := range []struct {
		alert   string
		schemes []string
		joined  bool
	}{
		{keySetStale, []string{"Bearer", "DPoP"}, true}, {keySetStale, []string{"Bearer", "Basic"}, false}, {policyOutdated, []string{"Bearer"}, false},
	} {
		c := &Counts{Notes: []Finding{{Plumbing: keys, Alert: tt.alert, Seen: "stale"}}}
		for _, scheme := range tt.schemes {
			c.Add(down, 1, "/a", "", scheme)
		}
		c.Add(Kind{"forbidden", "missing_role"}, 1, "", "", "")
		found := c.Diagnose()
		if tt.joined && (len(found) != 2 || found[0].Count != 2 || !strings.HasPrefix(found[0].Seen, "stale; 2 of 3 requests are 503")) ||
			!tt.joined && (len(found) != 3 || found[0].Seen != "stale" || !slices.ContainsFunc(found, func(f Finding) bool { return f.Alert == dependencyDown })) {
			t.Errorf("%s with %v: %+v", tt.alert, tt.schemes, found)
		}
	}
}

func TestTheMostFrequentAreNamed(t *testing.T) {
	t.Parallel()
	for want, all := range map[string]map[string]float64{
		"": {}, " at /a": {"/a": 1}, " at /b, /a": {"/a": 1, "/b": 2}, " at /b, /a and 2 more": {"/a": 2, "/b": 3, "/c": 1, "/d": 1},
	} {
		if got := mostFrequent(" at ", all); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestFilesThatAreNoLog are refused for what they are.
func TestFilesThatAreNoLog(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\x28\xb5\x2f\xfd...": "(zstd)", "\xfd7zXZ...": "(xz)", "BZh9...": "(bzip2)", "PK\x03\x04...": "(zip)",
		"\xff\xfem\x00": "UTF-16", "\xfe\xff\x00m": "UTF-16", "\x1f\x8b...": "EOF",
	} {
		if c, err := ReadLog(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
	c, err := ReadLog(strings.NewReader("\xef\xbb\xbf" + `{"msg":"access","level":"WARN","outcome":"forbidden","status":403,"reason":"missing_role","gate":"check"}`))
	if err != nil || c.Total() != 1 {
		t.Errorf("a byte order mark: %+v, %v", c, err)
	}
	if c, err := ReadLog(strings.NewReader("")); err != nil || c.Lines != 0 {
		t.Errorf("nothing: %+v, %v", c, err)
	}
	broken := errors.New("the disk is broken")
	for _, before := range []string{"", "a line\nanother\n"} {
		if c, err := ReadLog(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("%+v, %v", c, err)
		}
	}
}
