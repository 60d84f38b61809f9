package lint

import (
	"regexp/syntax"
	"slices"
	"strconv"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// checkAnchors finds regular expressions that also match inside a longer text. It
// is only a note for an action that lists whole methods: no method of RFC 9110 is
// part of another one, and others must be named literally.
func (l *Linter) checkAnchors(rules policy.Rules) {
	known := map[int32]model.Severity{} // 0 if there is no finding
	for _, p := range l.Schema.Patterns {
		if p.Function != "regexMatch" {
			continue
		}
		clear(known)
		action := slices.Contains(l.Schema.Actions, p.Column)
		for r := range l.policyRulesOf(rules) {
			number := r.Number(p.Column)
			severity, seen := known[number]
			if !seen {
				severity = l.anchorSeverity(policy.ValueAt(r, p.Column), action)
				known[number] = severity
			}
			if severity == 0 {
				continue
			}
			hint := "write ^(?:…)$ around it, or .* where more may stand"
			if severity == model.SeverityNote {
				hint = "write ^(?:…)$ around it; as it stands it does no harm"
			}
			l.addFindingAs(severity, r, p.Column+1, model.CodeUnanchored, hint,
				"the regular expression "+strconv.Quote(policy.ValueAt(r, p.Column))+" also matches inside a longer text")
		}
	}
}

func (l *Linter) anchorSeverity(expr string, action bool) model.Severity {
	re, err := syntax.Parse(expr, syntax.Perl)
	switch {
	case err != nil || isAnchored(re):
		return 0
	case action && listsMethods(re):
		return model.SeverityNote
	}
	return l.settings.Severity(model.CodeUnanchored)
}

// isAnchored reports whether a regular expression itself specifies what may precede
// and follow what it matches.
func isAnchored(re *syntax.Regexp) bool {
	return bounded(re, syntax.OpBeginText, func(subs []*syntax.Regexp) *syntax.Regexp { return subs[0] }) &&
		bounded(re, syntax.OpEndText, func(subs []*syntax.Regexp) *syntax.Regexp { return subs[len(subs)-1] })
}

// bounded follows one side of an expression, chosen by pick, to an anchor or to ".*".
func bounded(re *syntax.Regexp, anchor syntax.Op, pick func([]*syntax.Regexp) *syntax.Regexp) bool {
	switch re.Op {
	case anchor:
		return true
	case syntax.OpStar:
		return re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL
	case syntax.OpConcat, syntax.OpCapture:
		return bounded(pick(re.Sub), anchor, pick)
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if !bounded(sub, anchor, pick) {
				return false
			}
		}
		return true
	}
	return false
}

// listsMethods reports whether an expression matches only whole methods.
func listsMethods(re *syntax.Regexp) bool {
	texts, few := alternatives(re)
	return few && !slices.ContainsFunc(texts, func(text string) bool { return !isKnown(text) })
}

// maxAlternatives is the maximum number of texts of one expression that are listed.
const maxAlternatives = 100

// alternatives returns all texts that an expression without anchors matches, if
// they are few. The parser factors out common beginnings.
func alternatives(re *syntax.Regexp) (texts []string, few bool) {
	switch {
	case re.Op == syntax.OpEmptyMatch:
		return []string{""}, true
	case re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0:
		return []string{string(re.Rune)}, true
	case re.Op == syntax.OpCapture:
		return alternatives(re.Sub[0])
	case re.Op == syntax.OpQuest:
		texts, few = alternatives(re.Sub[0])
		return append(texts, ""), few
	case re.Op == syntax.OpCharClass:
		return characters(re.Rune)
	case re.Op == syntax.OpAlternate:
		for _, sub := range re.Sub {
			more, ok := alternatives(sub)
			if texts = append(texts, more...); !ok || len(texts) > maxAlternatives {
				return nil, false
			}
		}
		return texts, true
	case re.Op == syntax.OpConcat:
		texts = []string{""}
		for _, sub := range re.Sub {
			if texts, few = joined(texts, sub); !few {
				return nil, false
			}
		}
		return texts, true
	}
	return nil, false
}

// joined returns texts, each followed by each text that an expression matches.
func joined(texts []string, re *syntax.Regexp) (all []string, few bool) {
	ends, few := alternatives(re)
	if !few || len(texts)*len(ends) > maxAlternatives {
		return nil, false
	}
	for _, text := range texts {
		for _, end := range ends {
			all = append(all, text+end)
		}
	}
	return all, true
}

// characters returns the characters of a set, given by its ranges.
func characters(ranges []rune) (texts []string, few bool) {
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] > maxAlternatives {
			return nil, false
		}
		for c := ranges[i]; c <= ranges[i+1]; c++ {
			texts = append(texts, string(c))
		}
	}
	return texts, len(texts) <= maxAlternatives
}
