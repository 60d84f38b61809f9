package doctor

import (
	"errors"
	"fmt"
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

// TestFailedFetchesOfKeys are a finding if none has succeeded since, also of a service that
// has restarted.
func TestFailedFetchesOfKeys(t *testing.T) {
	t.Parallel()
	fetched := func(failed, good int) Sample {
		return sample(t, page(1, 0, fmt.Sprintf(`# TYPE sallyport_keyset_fetches_total counter
sallyport_keyset_fetches_total{sallyport_keyset_name="idp",sallyport_result="failed"} %d
sallyport_keyset_fetches_total{sallyport_keyset_name="idp",sallyport_result="ok"} %d
`, failed, good)))
	}
	for _, tt := range []struct {
		before, now Sample
		want        string
	}{
		{nil, fetched(3, 0), ""},
		{fetched(1, 5), fetched(3, 5), "2 fetches of the keys of idp have failed"},
		{fetched(1, 5), fetched(3, 6), ""},
		{fetched(1, 5), fetched(1, 5), ""},
		{fetched(0, 100), fetched(1, 5), ""}, // restarted
		{fetched(4, 100), fetched(2, 0), "2 fetches of the keys of idp have failed"},
	} {
		var got string
		for _, f := range tt.now.CountsSince(tt.before).Diagnose() {
			got += f.Seen
		}
		if got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestGaugesOfStoresAndPolicies: a file that is older than that in its store, and instances
// that differ.
func TestGaugesOfStoresAndPolicies(t *testing.T) {
	t.Parallel()
	gauges := func(revision string, lag, outdated int) *Counts {
		return sample(t, page(1, 0, fmt.Sprintf(`# TYPE sallyport_policy_info gauge
sallyport_policy_info{sallyport_policy_name="reports",sallyport_policy_revision="%s"} 1
# TYPE sallyport_policy_outdated_seconds gauge
sallyport_policy_outdated_seconds{sallyport_policy_name="reports"} %d
# TYPE sallyport_source_lag_seconds gauge
sallyport_source_lag_seconds{sallyport_source_kind="users",sallyport_source_name="staff"} %d
sallyport_source_lag_seconds{sallyport_source_kind="policy",sallyport_source_name="reports"} 9
`, revision, outdated, lag))).CountsSince(nil)
	}
	for want, c := range map[string]*Counts{
		"": gauges("a", 0, 0), "the file of staff has been older than that in its store for 7s": gauges("a", 7, 0),
		"2 instances decide by 2 policies called reports: a, b": Together([]*Counts{gauges("a", 0, 0), gauges("b", 0, 0)}),
	} {
		var got string
		for _, f := range c.Diagnose() {
			got += f.Seen
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestFailuresInTheLog are findings until the line that says they are over.
func TestFailuresInTheLog(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ begins, ends, alert string }{
		{`msg="keys not fetched, those from before stay in use" issuer=idp error=timeout`, `msg="keys fetched again" issuer=idp`, keySetStale},
		{`msg="file not taken from its store, the last good one stays in use" file=users error=timeout`, `msg="file loaded from its store" file=users`, policyOutdated},
		{`msg="file not confirmed by its store for longer than max_staleness" file=users error=timeout`, `msg="file confirmed by its store again" file=users`, sourceStale},
		{`msg="revocations not read from their log, those that are known stay in force" error=timeout`, `msg="revocations read from their log again"`, sourceStale},
		{`msg="decisions cannot be written to the decision log" error=timeout`, "", decisionsLost},
	} {
		begins, ends := "level=ERROR "+tt.begins+"\n", "level=INFO "+tt.ends+"\n"
		for text, want := range map[string]int{
			begins: 1, begins + begins: 1, ends: 0, begins + ends: 0, begins + ends + begins: 1,
		} {
			if tt.ends == "" {
				want = min(strings.Count(text, "ERROR"), 1)
			}
			c, err := ReadLog(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			found := c.Diagnose()
			if len(found) != want || want > 0 && (found[0].Alert != tt.alert || !strings.Contains(found[0].Seen, "timeout")) {
				t.Errorf("%s: %+v, want %d findings", text, found, want)
			}
		}
	}
}

// TestLinesThatCannotBeRead are counted by the reason.
func TestLinesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"level=WARN msg=access outcome=forbidden reason=missing_role": broken, // no gate
		"level=WARN msg=access gate=check reason=missing_role":        broken, // no outcome
		"msg=access\x00 gate=check outcome=forbidden":                 binary,
	} {
		if c, err := ReadLog(strings.NewReader(text + "\n")); err != nil || c.Unread[why] != 1 || c.Total() != 0 {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
	revisions := `level=INFO msg="policy loaded" outcome=loaded revision=a` + "\n" + "level=INFO msg=access gate=check outcome=allowed revision=b\n"
	if c, err := ReadLog(strings.NewReader(revisions)); err != nil || c.revisions[""] != "b" {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := ReadLog(strings.NewReader(revisions[:strings.Index(revisions, "\n")])); err != nil || c.revisions[""] != "a" {
		t.Errorf("%+v, %v", c, err)
	}
}
