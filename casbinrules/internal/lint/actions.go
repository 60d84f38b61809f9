package lint

import (
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// vocabulary describes the names of actions in one policy file.
type vocabulary struct {
	// methods reports that it names a request method in capitals, own that it has
	// actions that are not methods in any letter case.
	methods, own bool
}

// isMethodSlip reports whether an action, which is a method except for its letter case,
// is meant as the method: it is if the file names methods elsewhere. A file that names
// none has actions of the application, such as create, read, update and delete.
func (l *Linter) isMethodSlip(r policy.Rule, action string) bool {
	v := l.vocabularyOf(r)
	return v.methods || !v.own && action != strings.ToLower(action)
}

// isAboutMethod reports whether a rule is about a request method rather than an action of
// the application.
func (l *Linter) isAboutMethod(r policy.Rule) bool {
	if len(l.Schema.Actions) != 1 {
		return false
	}
	for action := range policy.Methods(l.Schema, r) {
		if !isKnown(action) {
			return false
		}
	}
	if r.Field(l.Schema.Actions[0]) != "*" {
		return true
	}
	v := l.vocabularyOf(r)
	return v.methods && !v.own
}

func (l *Linter) vocabularyOf(r policy.Rule) vocabulary {
	if l.vocabularies == nil {
		l.readVocabularies()
	}
	return l.vocabularies[r.Source()]
}

func (l *Linter) readVocabularies() {
	l.vocabularies = map[int32]vocabulary{}
	type place struct{ source, action int32 }
	seen := map[place]bool{}
	for r := range l.policyRules() {
		at := place{r.Source(), r.Number(l.Schema.Actions[0])}
		if seen[at] {
			continue
		}
		seen[at] = true
		v := l.vocabularies[r.Source()]
		for action := range policy.Methods(l.Schema, r) {
			upper := strings.ToUpper(action)
			v.methods = v.methods || action == upper && isKnown(upper)
			v.own = v.own || action != upper && !isKnown(upper)
		}
		l.vocabularies[r.Source()] = v
	}
}
