package casbinrules

import "strings"

// vocabulary is what one policy file calls its actions.
type vocabulary struct {
	// methods says that it names a request method in capitals, own that it has
	// actions that are no method in whatever letter case.
	methods, own bool
}

// isMethodSlip reports whether an action, a method but for its letter case, is
// meant for the method. It is where the file names methods otherwise. A file
// without any speaks of actions that the application names, such as create,
// read, update and delete.
func (l *linter) isMethodSlip(r *rule, action string) bool {
	if l.vocabularies == nil {
		l.readVocabularies()
	}
	v := l.vocabularies[r.source]
	return v.methods || !v.own && action != strings.ToLower(action)
}

func (l *linter) readVocabularies() {
	l.vocabularies = map[int32]vocabulary{}
	type place struct{ source, action int32 }
	seen := map[place]bool{}
	for r := range l.policyRules() {
		at := place{r.source, r.number(l.schema.actions[0])}
		if seen[at] {
			continue
		}
		seen[at] = true
		v := l.vocabularies[r.source]
		for action := range l.schema.methods(r) {
			upper := strings.ToUpper(action)
			v.methods = v.methods || action == upper && isKnown(upper)
			v.own = v.own || action != upper && !isKnown(upper)
		}
		l.vocabularies[r.source] = v
	}
}
