package casbinrules

import "fmt"

// checkUnusedRoles looks for role definitions that no decision looks at. It is
// but a note while there are no lines of the kind.
func (l *linter) checkUnusedRoles() {
	lines := map[string]int{}
	for kind := range l.schema.roles {
		if !l.schema.usesLinks(kind) {
			lines[kind] = 0
		}
	}
	if len(lines) == 0 {
		return
	}
	for _, r := range l.rules {
		if n, unused := lines[r.kind()]; unused {
			lines[r.kind()] = n + 1
		}
	}
	for kind, n := range lines {
		l.tellUnusedRoles(kind, n)
	}
}

func (l *linter) tellUnusedRoles(kind string, lines int) {
	severity := l.config.severity(codeUnusedRoles)
	verb := "decide"
	which := fmt.Sprintf("the %d %s lines", lines, kind)
	switch lines {
	case 0:
		severity = SeverityNote
		which = kind + " lines"
	case 1:
		which, verb = "the "+kind+" line", "decides"
	}
	hint := "call " + kind + " in the matcher, or remove the definition and its lines"
	if kind == "g" {
		hint = "call g(r.sub, p.sub) in the matcher, or remove the definition and its lines, unless rules in the program alone ask for roles"
		if !l.config.noTokenRoles {
			which, verb = which+" and the roles of credentials", "decide"
		}
	}
	at := l.schema.file.at[kind]
	l.found = append(l.found, Finding{
		File: l.schema.file.name, Line: at.line, Column: at.column, Severity: severity, Code: codeUnusedRoles,
		Message: "the matcher never calls " + kind + ", so that " + which + " " + verb + " nothing", Hint: hint,
	})
}
