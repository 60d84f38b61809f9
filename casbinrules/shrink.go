package casbinrules

import (
	"fmt"
	"maps"
	"slices"
)

// A policy file that had at least shrinkFrom rules and keeps fewer than one in
// shrinkBy of them, or a file that loses all it had, is more often cut short
// than meant.
const (
	shrinkFrom = 10
	shrinkBy   = 2
)

// checkShrink compares a policy with the one before it and returns an error
// for each file that is suddenly empty, or gone, or far smaller. Rules that
// have moved to another file count where they were.
func checkShrink(before, after []*rule) []Finding {
	had, now := countByFile(before), countByFile(after)
	var found []Finding
	for _, file := range slices.Sorted(maps.Keys(had)) {
		if !isShrunk(had[file], now[file]) {
			continue
		}
		n := now[file] + moved(file, before, after)
		if !isShrunk(had[file], n) {
			continue
		}
		f := Finding{File: file, Line: 1, Column: 1, Severity: SeverityError, Hint: "force the reload if this is meant"}
		if n == 0 {
			f.Code, f.Message = codeEmptied, fmt.Sprintf("the file had %d rules and has none", had[file])
		} else {
			f.Code, f.Message = codeShrunk, fmt.Sprintf("the file had %d rules and has %d", had[file], n)
		}
		found = append(found, f)
	}
	return found
}

func isShrunk(had, now int) bool { return now == 0 || had >= shrinkFrom && now*shrinkBy < had }

func countByFile(rules []*rule) map[string]int {
	counts := map[string]int{}
	for len(rules) > 0 {
		file := rules[0].file()
		n := slices.IndexFunc(rules, func(r *rule) bool { return r.file() != file })
		if n < 0 {
			n = len(rules)
		}
		counts[file] += n
		rules = rules[n:]
	}
	return counts
}

// moved is how many rules of a file stand in another one after that.
func moved(file string, before, after []*rule) (count int) {
	elsewhere := map[string]bool{}
	for _, r := range after {
		if r.file() != file {
			elsewhere[r.text()] = true
		}
	}
	for _, r := range before {
		if r.file() == file && elsewhere[r.text()] {
			count++
		}
	}
	return count
}
