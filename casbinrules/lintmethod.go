package casbinrules

import (
	"net/http"
	"slices"
	"strings"
)

// checkActions looks at the methods that rules about paths name.
func (l *linter) checkActions() {
	if len(l.schema.actions) != 1 {
		return
	}
	column := l.schema.actions[0]
	quiet := map[int32]bool{} // actions to which there is nothing to say beside paths
	source := int32(0)
	for r := range l.policyRules() {
		if r.source != source {
			source = r.source // which may call its actions otherwise
			clear(quiet)
		}
		if number := r.number(column); !quiet[number] {
			before := len(l.found)
			asked := l.checkAction(r, column)
			quiet[number] = asked && len(l.found) == before
		}
	}
}

// checkAction looks at one rule. It returns false when the answer depends on
// the rule's object.
func (l *linter) checkAction(r *rule, column int) bool {
	action := value(r, column)
	if action == "*" {
		l.checkStar(r, column)
		return true
	}
	if !isPath(l.object(r)) || strings.Contains(action, "(?i") {
		return false
	}
	if list := methodList(action); !l.schema.actionPattern && list != "" {
		l.reportColumn(r, column, codeUnknownMethod, "write a line for each of "+list, "%q is no method, and a line has one", action)
		return true
	}
	for method := range l.schema.methods(r) {
		l.checkMethod(r, column, method)
	}
	return true
}

func (l *linter) checkMethod(r *rule, column int, method string) {
	upper := strings.ToUpper(method)
	switch {
	case method != upper && isKnown(upper) && !l.isMethodSlip(r, method): // an action of the application's own
	case method != upper && isKnown(upper):
		l.reportColumn(r, column, codeMethodCase, "write "+upper+"; give an action that is no method another name", "methods are case-sensitive, and %q is not %s", method, upper)
	case l.shape.action.function == "==" && method != "*" && strings.Trim(method, actionBytes) != "":
		l.reportColumn(r, column, codeUnknownMethod, "write it in plain letters, one method a line", "%+q is no HTTP method, and hardly the name of an action", method)
	case len(method) > 2 && !isKnown(method) && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == "":
		hint := "fine if a gate uses this action name"
		if near := closest(method, methodsInUse); near != "" {
			hint = "write " + near + ", if no gate names its action so"
		} else if method == "ALL" || method == "ANY" {
			hint = "write *, if no gate names its action so"
		}
		l.reportColumn(r, column, codeUnknownMethod, hint, "%q is no HTTP method", method)
	}
}

// actionBytes are what methods and names of actions are made of.
const actionBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/ "

// checkStar looks for a star that the matcher does not know as one.
func (l *linter) checkStar(r *rule, column int) {
	if l.shape.action.column == column && l.shape.action.function == "==" && !slices.Contains(l.shape.starred, column) {
		l.reportColumn(r, column, codeLiteralStar, `name each action, or write (p.act == "*" || r.act == p.act) into the matcher`,
			"the matcher compares actions as they are, so that * stands only for itself")
	}
}

// methodList is the methods in an action that lists several, with commas.
func methodList(action string) string {
	parts := strings.FieldsFunc(action, func(c rune) bool { return strings.ContainsRune("|,;/ +()^$", c) })
	if len(parts) < 2 || slices.ContainsFunc(parts, func(part string) bool { return !isKnown(strings.ToUpper(part)) }) {
		return ""
	}
	return strings.Join(parts, ", ")
}

// isKnown reports whether a method is registered (RFC 9110 §16.1), or in such
// wide use as PURGE.
func isKnown(method string) bool {
	switch method {
	case "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD", "LABEL",
		"LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "NOTIFY",
		"OPTIONS", "ORDERPATCH", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND", "REPORT",
		"SEARCH", "SUBSCRIBE", "TRACE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UNSUBSCRIBE", "UPDATE",
		"UPDATEREDIRECTREF", "VERSION-CONTROL":
		return true
	}
	return false
}

// methodsInUse are those that slips are looked for of.
var methodsInUse = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}

// partner is a method that is easily forgotten beside another.
type partner struct{ method, partner, code, message string }

var partners = []partner{
	{http.MethodPut, http.MethodPatch, codePutPatch, "the rule names PUT, and none does PATCH for the same subject and object"},
	{http.MethodPatch, http.MethodPut, codePatchPut, "the rule names PATCH, and none does PUT for the same subject and object"},
	{http.MethodGet, http.MethodHead, codeGetHead, "HEAD is not judged as GET since a rule names HEAD, and none does for the same subject and object"},
}

// checkPartners looks for methods that were forgotten, and for the parents of
// "/*".
func (l *linter) checkPartners() {
	if !l.shape.action.alone || !l.shape.object.alone {
		return
	}
	named := namedMethods(l.schema, l.rules)
	known := map[int32][]partner{} // what the methods of an action ask for
	for r := range l.policyRules() {
		number := r.number(l.shape.action.column)
		asked, seen := known[number]
		if !seen {
			asked = l.partnersOf(r, named[http.MethodHead])
			if len(l.schema.actions) == 1 { // else another column may name methods
				known[number] = asked
			}
		}
		for _, p := range asked {
			if l.answered(r, l.object(r), p.partner) {
				continue
			}
			severity := l.config.severity(p.code)
			if mayBeNote(p.code) && l.routes == nil && !named[p.partner] {
				severity = SeverityNote // Perhaps the application has no such routes.
			}
			l.tellAs(severity, r, l.shape.action.column+1, p.code, "add a line for "+p.partner+", that says the same or the contrary", p.message)
		}
		l.checkParent(r)
	}
}

// partnersOf are the partners of the methods that a rule names; head says that
// some rule names HEAD.
func (l *linter) partnersOf(r *rule, head bool) []partner {
	var found []partner
	for _, p := range partners {
		if (head || p.method != http.MethodGet) && l.schema.ruleNames(r, p.method) {
			found = append(found, p)
		}
	}
	return found
}

// checkParent looks for a rule about all below a path that leaves out the path
// itself.
func (l *linter) checkParent(r *rule) {
	parent, ok := strings.CutSuffix(l.object(r), "/*")
	if !ok || parent == "" || !isPath(parent) || l.config.objectRoute || l.shape.object.function != "keyMatch" && !isRegexp(l.shape.object.function) {
		return
	}
	methods := slices.Collect(l.schema.methods(r))
	if len(methods) == 0 {
		methods = []string{http.MethodGet}
	}
	if !slices.ContainsFunc(methods, func(method string) bool { return !l.answered(r, parent, method) }) {
		return
	}
	l.tell(r, l.shape.object.column+1, codeParent, "add a line for "+parent+", if it is meant too",
		"the pattern does not match "+parent+" itself, and no other rule of the subject does")
}

// maxRoles is how many roles of a subject lint looks at.
const maxRoles = 64

// answered reports whether the policy has an answer for the subject of r about
// an object and a method: any answer where r allows, a deny where it denies.
// Methods that no route has need none.
func (l *linter) answered(r *rule, object, method string) bool {
	action := value(r, l.shape.action.column)
	if object == l.object(r) && l.shape.action.matches(method, action) || l.routes != nil && !l.routes.has(l.shape.object, object, method) {
		return true
	}
	effect := ""
	if l.schema.effectOf(r) == "deny" {
		effect = "deny"
	}
	subject := int32(0)
	if l.shape.subject >= 0 {
		subject = r.number(l.shape.subject)
	}
	if l.cover.answers(r, subject, object, method, effect) {
		return true
	}
	g := l.graphs["g"]
	if g == nil || g.tenants {
		return g != nil
	}
	c := g.of(pair{name: subject})
	if c == nil {
		return false
	}
	if len(c.links) > maxRoles {
		return true
	}
	for _, role := range c.links {
		if l.cover.answers(r, role.number, object, method, effect) {
			return true
		}
	}
	return false
}
