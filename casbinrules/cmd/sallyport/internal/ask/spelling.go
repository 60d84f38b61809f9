package ask

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/quoted"
	"github.com/sallyport-go/sallyport/core/spelling"
)

// Suggestion returns a hint for a name that is similar to one of known, or "".
func Suggestion(name string, known []string) string {
	for _, k := range known {
		if similar(name, k) {
			return didYouMean(k)
		}
	}
	return ""
}

// didYouMean proposes a name, in quotes if it has blanks around it, which nobody would see.
func didYouMean(name string) string {
	if strings.TrimSpace(name) != name {
		name = quoted.Quote(name)
	}
	return ": did you mean " + name + "?"
}

// caseSuggestion is [Suggestion] for a name that differs from one of known in letter case
// only.
func caseSuggestion(name string, known []string) string {
	return Suggestion(name, slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.EqualFold(k, name) }))
}

// objectSuggestion is [Suggestion] for an object. It is compared with the policy's objects
// segment by segment.
func (n *Names) objectSuggestion(object string) string {
	if path := "/" + object; !strings.HasPrefix(object, "/") && n.knows("obj", path) {
		return didYouMean(path)
	}
	segments := strings.Split(object, "/")
	for _, p := range n.values["obj"] {
		if misspelt(segments, strings.Split(p.Text, "/")) {
			return didYouMean(p.Text)
		}
	}
	return ""
}

// misspelt reports whether segments match a pattern except for typing errors.
func misspelt(segments, pattern []string) bool {
	if len(segments) != len(pattern) {
		return false
	}
	slips := 0
	for i, s := range segments {
		switch {
		case s == pattern[i], strings.ContainsAny(pattern[i], `:*{([.\?^$+|`):
		case similar(s, pattern[i]):
			slips++
		default:
			return false
		}
	}
	return slips > 0
}

// similar reports whether two different names probably differ by a typing error: letter case,
// or a letter that is missing, added, changed or swapped with its neighbour; in a long name,
// up to two such errors. Digits distinguish names on purpose.
func similar(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return -1
			}
			return r
		}, s)
	}
	switch {
	case a == b || letters(a) == letters(b):
		return false
	case strings.EqualFold(a, b):
		return true
	}
	slips := max(len(a), len(b)) / 4
	return spelling.Distance(a, b) <= min(slips, 2)
}
