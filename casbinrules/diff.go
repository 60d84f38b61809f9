package casbinrules

import (
	"fmt"
	"path"
	"strings"
)

// RuleText is a policy line as people read it.
type RuleText struct {
	// File is the file as it was given, or found in a directory.
	File string `json:"file"`
	// Line counts from 1.
	Line int `json:"line"`
	// Text is the line with one blank behind each comma, such as
	// "p, editor, /reports, GET". Unprintable characters are replaced.
	Text string `json:"text"`
}

// Place is "policy.csv:12", as decisions name rules.
func (r RuleText) Place() string { return fmt.Sprintf("%s:%d", path.Base(r.File), r.Line) }

// String is "policy.csv:12: p, editor, /reports, GET".
func (r RuleText) String() string { return visible(r.Place()) + ": " + r.Text }

// written is the rule as people read it.
func (r *rule) written() RuleText {
	return RuleText{File: r.file(), Line: int(r.line), Text: visible(r.text())}
}

// text is the rule as a policy line, which is the same for the same fields
// however they were spaced and quoted.
func (r *rule) text() string { return lineOf(r.values()) }

// lineOf is the policy line of these values, the kind first.
func lineOf(values []string) string {
	var b strings.Builder
	for i, value := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoteField(value))
	}
	return b.String()
}

// maxListed is how many rules a list of differences holds.
const maxListed = 100

// difference is what sets two policies apart.
type difference struct {
	added, removed           []RuleText // at most maxListed
	addedCount, removedCount int
	// reordered says that both have the same rules in another order.
	reordered bool
}

// compare finds what sets after apart from before. Most policies change in few
// places, and what is the same in front of and behind them is not looked at
// twice.
func compare(before, after []*rule) difference {
	for len(before) > 0 && len(after) > 0 && before[0].equal(after[0]) {
		before, after = before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 && before[len(before)-1].equal(after[len(after)-1]) {
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	var d difference
	d.removed, d.removedCount = missing(before, after)
	d.added, d.addedCount = missing(after, before)
	d.reordered = d.addedCount == 0 && d.removedCount == 0 && len(before) > 0
	return d
}

// missing are the rules of from that in does not have, and how many there are.
// No policy has a rule twice.
func missing(from, in []*rule) (listed []RuleText, count int) {
	if len(from) == 0 {
		return nil, 0
	}
	have := make(map[string]bool, len(in))
	for _, r := range in {
		have[r.text()] = true
	}
	for _, r := range from {
		if have[r.text()] {
			continue
		}
		if count++; count <= maxListed {
			listed = append(listed, r.written())
		}
	}
	return listed, count
}
