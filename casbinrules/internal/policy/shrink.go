package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// If a policy file had at least shrinkFrom rules and keeps fewer than one in
// shrinkBy of them, or loses all it had, it was more likely truncated by mistake
// than edited on purpose.
const (
	shrinkFrom = 10
	shrinkBy   = 2
)

// CheckShrink compares a policy with the previous one and returns an error for each
// file that is suddenly empty, missing or much smaller. Rules that have moved to
// another file still count for their former one.
func CheckShrink(before, after Rules) []model.Finding {
	had, now := countByFile(before), countByFile(after)
	var found []model.Finding
	for _, file := range slices.Sorted(maps.Keys(had)) {
		if !isShrunk(had[file], now[file]) {
			continue
		}
		n := now[file] + moved(file, before, after)
		if !isShrunk(had[file], n) {
			continue
		}
		f := model.Finding{File: file, Line: 1, Column: 1, Severity: model.SeverityError, Hint: "if it was cut off, write it whole; if this is intended, restart the service or call ReloadForced"}
		if n == 0 {
			f.Code, f.Message = model.CodeEmptied, fmt.Sprintf("the file had %d rules and has none", had[file])
		} else {
			f.Code, f.Message = model.CodeShrunk, fmt.Sprintf("the file had %d rules and has %d", had[file], n)
		}
		found = append(found, f)
	}
	return found
}

func isShrunk(had, now int) bool { return now == 0 || had >= shrinkFrom && now*shrinkBy < had }

func countByFile(rules Rules) map[string]int {
	counts := map[string]int{}
	for rules.Len() > 0 {
		first := rules.At(0)
		n := rules.Search(int(first.Source())+1, 0)
		counts[first.File()] += n
		rules = rules.Slice(n, rules.Len())
	}
	return counts
}

// moved returns how many rules of a file are in another one afterwards.
func moved(file string, before, after Rules) (count int) {
	elsewhere := map[string]bool{}
	for _, r := range after.All() {
		if r.File() != file {
			elsewhere[r.Text()] = true
		}
	}
	for _, r := range before.All() {
		if r.File() == file && elsewhere[r.Text()] {
			count++
		}
	}
	return count
}
