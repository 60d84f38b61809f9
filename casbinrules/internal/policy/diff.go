package policy

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// RuleText is a policy line for display.
type RuleText struct {
	// File is the file as it was given, or found in a directory.
	File string `json:"file"`
	// Line counts from 1.
	Line int `json:"line"`
	// Text is the line with one space after each comma, such as
	// "p, editor, /reports, GET". Unprintable characters are replaced.
	Text string `json:"text"`

	shortFile string // as in the place of the rule; "" for the last element of File
}

// Place returns a text such as "policy.csv:12", as decisions name rules.
func (r RuleText) Place() string {
	return fmt.Sprintf("%s:%d", cmp.Or(r.shortFile, path.Base(r.File)), r.Line)
}

// String returns a text such as "policy.csv:12: p, editor, /reports, GET".
func (r RuleText) String() string { return model.Visible(r.Place()) + ": " + r.Text }

// RuleText returns the rule for display.
func (r Rule) RuleText() RuleText {
	return RuleText{File: r.File(), Line: int(r.Line), Text: model.Visible(r.Text()), shortFile: r.shortFile()}
}

// Text returns the rule as a policy line, which is the same for the same fields
// however they were spaced and quoted.
func (r Rule) Text() string { return LineText(r.Values()) }

// LineText returns the policy line with these values, beginning with the kind.
func LineText(values []string) string {
	var b strings.Builder
	for i, value := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoteField(value))
	}
	return b.String()
}

// MaxListed is the maximum number of rules in a list of differences.
const MaxListed = 100

// Difference is the difference between two policies.
type Difference struct {
	Added, Removed           []RuleText // at most MaxListed
	AddedCount, RemovedCount int
	// Reordered reports that both have the same rules in different order.
	Reordered bool
}

// Compare returns the difference between before and after. Most policies change in
// few places, so it first skips what is the same at the beginning and at the end.
func Compare(before, after Rules, p *pace.Pace) Difference {
	first, end, last := 0, before.Len(), after.Len()
	for first < min(end, last) && before.At(first).equal(after.At(first)) {
		p.Step()
		first++
	}
	for first < min(end, last) && before.At(end-1).equal(after.At(last-1)) {
		p.Step()
		end, last = end-1, last-1
	}
	before, after = before.Slice(first, end), after.Slice(first, last)
	var d Difference
	d.Removed, d.RemovedCount = missing(before, after, p)
	d.Added, d.AddedCount = missing(after, before, p)
	d.Reordered = d.AddedCount == 0 && d.RemovedCount == 0 && before.Len() > 0
	return d
}

// missing returns the rules of from that in does not have, and how many there are.
// No policy has a rule twice.
func missing(from, in Rules, p *pace.Pace) (listed []RuleText, count int) {
	if from.Len() == 0 {
		return nil, 0
	}
	have := make(map[string]bool, in.Len())
	for _, r := range in.All() {
		p.Step()
		have[r.Text()] = true
	}
	for _, r := range from.All() {
		p.Step()
		if have[r.Text()] {
			continue
		}
		if count++; count <= MaxListed {
			listed = append(listed, r.RuleText())
		}
	}
	return listed, count
}
