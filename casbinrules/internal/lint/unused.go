package lint

import (
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// checkUnusedRoles looks for role definitions that no decision looks at. It is
// but a note while there are no lines of the kind.
func (l *Linter) checkUnusedRoles() {
	lines := map[string]int{}
	for kind := range l.Schema.Roles {
		if !l.Schema.UsesLinks(kind) {
			lines[kind] = 0
		}
	}
	if len(lines) == 0 {
		return
	}
	for _, r := range l.Rules {
		if n, unused := lines[r.Kind()]; unused {
			lines[r.Kind()] = n + 1
		}
	}
	for kind, n := range lines {
		l.tellUnusedRoles(kind, n)
	}
}

func (l *Linter) tellUnusedRoles(kind string, lines int) {
	severity := l.settings.Severity(model.CodeUnusedRoles)
	verb := "decide"
	which := fmt.Sprintf("the %d %s lines", lines, kind)
	switch lines {
	case 0:
		severity = model.SeverityNote
		which = kind + " lines"
	case 1:
		which, verb = "the "+kind+" line", "decides"
	}
	hint := "call " + kind + " in the matcher, or remove the definition and its lines"
	if kind == "g" {
		hint = "call g(r.sub, p.sub) in the matcher, or remove the definition and its lines, unless rules in the program alone ask for roles"
		if !l.settings.NoTokenRoles {
			which, verb = which+" and the roles of credentials", "decide"
		}
	}
	at := l.Schema.File.At[kind]
	l.found = append(l.found, model.Finding{
		File: l.Schema.File.Name, Line: at.Line, Column: at.Column, Severity: severity, Code: model.CodeUnusedRoles,
		Message: "the matcher never calls " + kind + ", so that " + which + " " + verb + " nothing", Hint: hint,
	})
}
