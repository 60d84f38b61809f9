package sarif

import (
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
)

func TestNew(t *testing.T) {
	findings := []casbinrules.Finding{
		{File: "a dir/policy#1.csv", Line: 3, Column: 9, Severity: casbinrules.SeverityError, Code: "bad_effect", Message: "m", Hint: "h"},
		{File: "/abs/policy.csv", Line: 4, Column: 1, Severity: casbinrules.SeverityWarning, Code: "duplicate_rule", Message: "n"},
		{File: "policy.csv", Severity: casbinrules.SeverityError, Code: "bad_effect", Message: "m"},
	}
	log := New(findings, func(f casbinrules.Finding) int { return f.Column - 1 })
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) != 3 || len(run.Tool.Driver.Rules) != 2 {
		t.Fatalf("got %+v", log)
	}
	for i, want := range []struct {
		uri, level, text    string
		index, line, column int
	}{
		{"a%20dir/policy%231.csv", "error", "m (h)", 0, 3, 8},
		{"file:///abs/policy.csv", "warning", "n", 1, 4, 1},
		{"policy.csv", "error", "m", 0, 1, 1},
	} {
		r := run.Results[i]
		p := r.Locations[0].Physical
		if p.Artifact.URI != want.uri || r.Level != want.level || r.Message.Text != want.text || r.RuleIndex != want.index ||
			p.Region.StartLine != want.line || p.Region.StartColumn != want.column || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("result %d is %+v, want %+v", i, r, want)
		}
	}
}

func TestNewWithoutFindingsHasEmptyLists(t *testing.T) {
	run := New(nil, nil).Runs[0]
	if run.Results == nil || run.Tool.Driver.Rules == nil {
		t.Error("a list is null, which the schema does not allow")
	}
}
