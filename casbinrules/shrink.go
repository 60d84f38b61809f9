package casbinrules

import (
	"fmt"
	"slices"
	"strings"
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
	left := map[string]bool{}
	for _, r := range after {
		left[ruleKey(r)] = true
	}
	now := map[string]int{}
	for _, r := range after {
		now[r.file]++
	}
	var files []string
	had, moved := map[string]int{}, map[string]int{}
	here := rulesByFile(after)
	for _, r := range before {
		if had[r.file]++; had[r.file] == 1 {
			files = append(files, r.file)
		}
		if key := ruleKey(r); left[key] && !here[r.file][key] {
			moved[r.file]++
		}
	}
	slices.Sort(files)
	var found []Finding
	for _, file := range files {
		f := Finding{File: file, Line: 1, Column: 1, Severity: SeverityError, Hint: "force the reload if this is meant"}
		switch n := now[file] + moved[file]; {
		case n == 0:
			f.Code, f.Message = codeEmptied, fmt.Sprintf("the file had %d rules and has none", had[file])
		case had[file] >= shrinkFrom && n*shrinkBy < had[file]:
			f.Code, f.Message = codeShrunk, fmt.Sprintf("the file had %d rules and has %d", had[file], n)
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}

func ruleKey(r *rule) string { return strings.Join(r.values, "\x00") }

func rulesByFile(rules []*rule) map[string]map[string]bool {
	files := map[string]map[string]bool{}
	for _, r := range rules {
		if files[r.file] == nil {
			files[r.file] = map[string]bool{}
		}
		files[r.file][ruleKey(r)] = true
	}
	return files
}
