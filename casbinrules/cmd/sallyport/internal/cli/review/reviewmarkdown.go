package review

import (
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/markdown"
)

const (
	// maxComment is the maximum length of a comment on GitHub, in characters.
	maxComment = 65_536
	// commentMark identifies the comment that a later run replaces.
	commentMark = "<!-- sallyport ci -->"
	// findingsPage explains each code of lint.
	findingsPage = "https://github.com/sallyport-go/sallyport/blob/main/docs/policy-diagnostics.md#"
	// maxCell is the maximum length of a text in a cell, in characters.
	maxCell = 300
)

// comment returns the report for a comment, with as many lines of each table as fit.
func (r *review) comment() string {
	for most := 512; ; most /= 2 {
		if text := r.markdown(most); len(text) <= maxComment || most == 0 {
			return text
		}
	}
}

func code(s string) string { return markdown.Code(s, maxCell) }

// markdown returns the report with at most so many lines in each table.
func (r *review) markdown(most int) string {
	var b strings.Builder
	b.WriteString(commentMark + "\n")
	if len(r.Problems) == 0 {
		b.WriteString("### ✅ sallyport ci: no problems\n\n")
	} else {
		b.WriteString("### ❌ sallyport ci: " + strings.Join(r.Problems, ", ") + "\n\n")
	}
	r.overview().Write(&b, most+4)
	r.changesTable(&b, most)
	r.failuresTable(&b, most)
	r.findingsTable(&b, most)
	r.uncovered(&b, most)
	return b.String()
}

// overview returns a table with a line for each check.
func (r *review) overview() *markdown.Table {
	t := &markdown.Table{Head: []string{"check", "result"}}
	n := result.Severities(r.findings)
	t.Add("lint", fmt.Sprintf("%s, %s, %s", command.Quantity(n[casbinrules.SeverityError], "error"), command.Quantity(n[casbinrules.SeverityWarning], "warning"), command.Quantity(n[casbinrules.SeverityNote], "note")))
	if r.results != nil {
		failed := result.Failures(r.results)
		t.Add("tests", fmt.Sprintf("%d passed, %d failed", len(r.results)-failed, failed))
		t.Add("coverage", fmt.Sprintf("%d of %d lines, %.1f %%", r.covered.Covered, r.covered.Lines, r.covered.Percent))
	}
	if r.Effect != nil {
		gained, lost := result.GainedAndLost(r.Effect)
		text := fmt.Sprintf("%d gained, %d lost, in %d requests compared with %s (%s)", gained, lost, r.Effect.Asked, code(r.Base.Revision), code(fmt.Sprintf("%.12s", r.Base.Commit)))
		if n := len(r.Effect.NotCompared); n > 0 {
			text += ", " + result.ChangedRules(n) + " **not compared**"
		}
		if only := result.Narrowed(r.Effect); only != "" {
			text += "; with " + code(only) + " alone"
		}
		t.Add("diff", text)
	}
	for _, n := range r.NotRun {
		t.Add(n.Check, "**not run**: "+code(n.Why))
	}
	return t
}

// section writes a table below a title, if it has rows.
func section(b *strings.Builder, title string, t *markdown.Table, most int) {
	if len(t.Rows) > 0 {
		b.WriteString("\n#### " + title + "\n\n")
		t.Write(b, most)
	}
}

func (r *review) changesTable(b *strings.Builder, most int) {
	if r.Effect == nil {
		return
	}
	t := &markdown.Table{Head: []string{"", "who", "action", "object", "by", "so do"}}
	for _, c := range r.Effect.Changes {
		verb, who, by := "loses", c.Subject, c.Rule
		if c.Gains {
			verb = "**gains**"
		}
		if c.Tenant != "" {
			who += " in " + c.Tenant
		}
		if attributes := result.AttributesText(c.Attributes); attributes != "" {
			who += " " + attributes
		}
		if by != "" {
			by = code(by)
			if c.Old {
				by = "old " + by
			}
		}
		also := ""
		if len(c.Also) > 0 {
			also = code(strings.Join(c.Also, ", "))
		}
		t.Add(verb, code(who), code(strings.Join(c.Actions, ", ")), code(c.Object), by, also)
	}
	for _, rule := range r.Effect.NotCompared {
		t.Add("*not compared*", "", "", "", result.SideOf(rule.Old)+" "+code(rule.String()), "")
	}
	section(b, "Who gains and loses what", t, most)
}

func (r *review) failuresTable(b *strings.Builder, most int) {
	t := &markdown.Table{Head: []string{"where", "test", "why it failed"}}
	for _, one := range r.results {
		if !one.Passed() {
			t.Add(code(one.Test.Place()), code(one.Test.String()), code(failure(one)))
		}
	}
	section(b, "Failed tests", t, most)
}

func (r *review) findingsTable(b *strings.Builder, most int) {
	t := &markdown.Table{Head: []string{"where", "severity", "code", "what"}}
	for _, severity := range []casbinrules.Severity{casbinrules.SeverityError, casbinrules.SeverityWarning, casbinrules.SeverityNote} {
		for _, f := range r.findings {
			if f.Severity != severity {
				continue
			}
			what := code(f.Message)
			if f.Hint != "" {
				what += "<br>" + code(f.Hint)
			}
			name := "[" + code(f.Code) + "](" + findingsPage + f.Code + ")"
			if f.Code == policyfile.TestSyntax {
				name = code(f.Code)
			}
			t.Add(code(fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)), severity.String(), name, what)
		}
	}
	section(b, "Findings", t, most)
}

func (r *review) uncovered(b *strings.Builder, most int) {
	if r.covered == nil || len(r.covered.NotCovered) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>Lines that no test depends on (%d)</summary>\n\n", len(r.covered.NotCovered))
	t := &markdown.Table{Head: []string{"where", "line"}}
	for _, rule := range r.covered.NotCovered {
		t.Add(code(rule.Place()), code(rule.Text))
	}
	t.Write(b, most)
	b.WriteString("\n</details>\n")
}
