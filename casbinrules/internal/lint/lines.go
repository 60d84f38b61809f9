package lint

import (
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Lines are the findings about single p lines, and what else about the policy these
// depend on.
type Lines struct {
	found []model.Finding
	// paths and names are how many objects are paths and names.
	paths, names int
	// vocabularies are nil until needed.
	vocabularies map[int32]vocabulary
	// suspects reports that something looks like a pattern but is compared literally.
	suspects bool
}

// checkLines checks single p lines. In a revision these are only the new ones, unless the
// findings about the others may have changed.
func (l *Linter) checkLines() *Lines {
	lines := l.countObjects()
	rules := l.Rules
	if l.sameAround(lines) {
		rules = l.revision.Added()
		l.found = l.moved(l.before.lines.found)
	}
	l.checkAnchors(rules)
	l.checkObjects(rules, lines)
	l.checkActions(rules)
	l.checkEffects(rules)
	lines.found, lines.vocabularies = slices.Clip(l.found), l.vocabularies
	lines.suspects = l.checkLiterals()
	return lines
}

// sameAround reports whether findings about unchanged lines are still valid.
func (l *Linter) sameAround(now *Lines) bool {
	if l.before == nil {
		return false
	}
	was := l.before.lines
	if was.vocabularies != nil {
		l.readVocabularies()
	}
	return now.mostlyPaths() == was.mostlyPaths() && maps.Equal(l.vocabularies, was.vocabularies)
}

// moved returns findings about unchanged lines with the present places of these.
func (l *Linter) moved(found []model.Finding) []model.Finding {
	made := make([]model.Finding, 0, len(found)+8)
	for _, f := range found {
		l.settings.Pace.Step()
		if f.Line = l.revision.CurrentLine(f); f.Line > 0 {
			made = append(made, f)
		}
	}
	return made
}

func (l *Lines) mostlyPaths() bool { return l.paths > 0 && l.paths >= l.names }

// countObjects counts paths and names.
func (l *Linter) countObjects() *Lines {
	var lines Lines
	count := func(rules policy.Rules, by int) {
		for r := range l.policyRulesOf(rules) {
			if isPath(l.object(r)) {
				lines.paths += by
			} else {
				lines.names += by
			}
		}
	}
	if l.before == nil {
		count(l.Rules, 1)
		return &lines
	}
	lines.paths, lines.names = l.before.lines.paths, l.before.lines.names
	count(l.revision.Added(), 1)
	count(l.revision.Removed(l.before.Rules), -1)
	return &lines
}
