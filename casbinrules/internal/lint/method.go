package lint

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// checkActions checks the methods that rules about paths name.
func (l *Linter) checkActions(rules policy.Rules) {
	if len(l.Schema.Actions) != 1 {
		return
	}
	column := l.Schema.Actions[0]
	quiet := map[int32]bool{} // actions without findings if the object is a path
	source := int32(0)
	for r := range l.policyRulesOf(rules) {
		if r.Source() != source {
			source = r.Source() // whose actions may have other names
			clear(quiet)
		}
		if number := r.Number(column); !quiet[number] {
			before := len(l.found)
			asked := l.checkAction(r, column)
			quiet[number] = asked && len(l.found) == before
		}
	}
}

// checkAction checks one rule. It returns false if the result depends on the rule's
// object.
func (l *Linter) checkAction(r policy.Rule, column int) bool {
	action := policy.ValueAt(r, column)
	if action == "*" {
		l.checkStar(r, column)
		return true
	}
	if object := l.object(r); !isPath(object) || strings.Contains(action, "(?i") {
		if isKnown(object) && isPath(action) {
			l.reportColumn(r, column, model.CodeUnknownMethod, "exchange the two", "%q is no HTTP method, and the object before it, %q, is one", action, object)
		}
		return false
	}
	if list := methodList(action); !l.Schema.ActionPattern && list != "" {
		l.reportColumn(r, column, model.CodeUnknownMethod, "write a line for each of "+list, "%q is no method, and a line has one", action)
		return true
	}
	if method, rest, ok := strings.Cut(action, " "); ok && isKnown(method) && commentStart.MatchString(rest) {
		l.reportColumn(r, column, model.CodeUnknownMethod, "write "+method+"; comments need a line of their own, and begin with #", "%q is no method: what follows %s is part of it", action, method)
		return true
	}
	for method := range policy.Methods(l.Schema, r) {
		l.checkMethod(r, column, method)
	}
	return true
}

func (l *Linter) checkMethod(r policy.Rule, column int, method string) {
	upper := strings.ToUpper(method)
	switch {
	case method != upper && isKnown(upper) && !l.isMethodSlip(r, method): // an action of the application
	case method != upper && isKnown(upper):
		l.reportColumn(r, column, model.CodeMethodCase, "write "+upper+"; give an action that is no method another name", "methods are case-sensitive, and %q is not %s", method, upper)
	case l.shape.action.Function == "==" && method != "*" && strings.Trim(method, actionBytes) != "":
		l.reportColumn(r, column, model.CodeUnknownMethod, "write it in plain letters, one method a line", "%+q is no HTTP method, and hardly the name of an action", method)
	case len(method) > 2 && !isKnown(method) && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == "":
		hint := "fine if a gate uses this action name"
		if near := model.Closest(method, methodsInUse); near != "" {
			hint = "write " + near + ", unless a gate uses that action name"
		} else if method == "ALL" || method == "ANY" {
			hint = "write *, unless a gate uses that action name"
		}
		l.reportColumn(r, column, model.CodeUnknownMethod, hint, "%q is no HTTP method", method)
	}
}

// commentStart is how comments begin in files of other kinds.
var commentStart = regexp.MustCompile(`^ *(//|/\*|--|;)`)

// actionBytes are the bytes of methods and names of actions.
const actionBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/ "

// checkStar finds a star that has no special meaning to the matcher.
func (l *Linter) checkStar(r policy.Rule, column int) {
	if l.shape.action.column == column && l.shape.action.Function == "==" && !slices.Contains(l.shape.starred, column) {
		l.reportColumn(r, column, model.CodeLiteralStar, `name each action, or write (p.act == "*" || r.act == p.act) into the matcher`,
			"the matcher compares actions as they are, so * matches only itself")
	}
}

// methodList returns the methods in an action that lists several, with commas.
func methodList(action string) string {
	parts := strings.FieldsFunc(action, func(c rune) bool { return strings.ContainsRune("|,;/ +()^$", c) })
	if len(parts) < 2 || slices.ContainsFunc(parts, func(part string) bool { return !isKnown(strings.ToUpper(part)) }) {
		return ""
	}
	return strings.Join(parts, ", ")
}

// isKnown reports whether a method is registered (RFC 9110 §16.1), or widely used,
// such as PURGE.
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

// methodsInUse are the methods of which misspellings are found.
var methodsInUse = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}

// partner is a method that is easily forgotten next to another.
type partner struct{ method, partner, code, message, hint string }

var partners = []partner{
	{http.MethodPut, http.MethodPatch, model.CodePutPatch, "the rule names PUT, and none does PATCH for the same subject and object", "add a line for PATCH, that says the same or the contrary"},
	{http.MethodPatch, http.MethodPut, model.CodePatchPut, "the rule names PATCH, and none does PUT for the same subject and object", "add a line for PUT, that says the same or the contrary"},
	{http.MethodGet, http.MethodHead, model.CodeGetHead, "HEAD is not judged as GET since a rule names HEAD, and none does for the same subject and object", "add a line for HEAD, that says the same or the contrary"},
}

// isAboutPartner reports whether a finding is one of checkPartners.
func isAboutPartner(f model.Finding) bool {
	return f.Code == model.CodeParent || slices.ContainsFunc(partners, func(p partner) bool { return p.code == f.Code })
}

// checkPartners finds methods that were forgotten, and missing parents of "/*".
func (l *Linter) checkPartners() {
	if !l.shape.action.alone || !l.shape.object.alone {
		return
	}
	known := map[int32][]partner{} // partners of the methods of an action
	for r := range l.policyRules() {
		if !l.looksAt(r) {
			continue
		}
		number := r.Number(l.shape.action.column)
		asked, seen := known[number]
		if !seen {
			asked = l.partnersOf(r, l.named[http.MethodHead])
			if len(l.Schema.Actions) == 1 { // otherwise another column may name methods
				known[number] = asked
			}
		}
		for _, p := range asked {
			if l.answered(r, l.object(r), p.partner) {
				continue
			}
			severity := l.settings.Severity(p.code)
			if model.MayBeNote(p.code) && l.routes == nil && !l.named[p.partner] {
				severity = model.SeverityNote // Perhaps the application has no such routes.
			}
			l.addFindingAs(severity, r, l.shape.action.column+1, p.code, p.hint, p.message)
		}
		l.checkParent(r)
	}
}

// partnersOf returns the partners of the methods that a rule names; head reports
// that a rule names HEAD.
func (l *Linter) partnersOf(r policy.Rule, head bool) []partner {
	var found []partner
	for _, p := range partners {
		if (head || p.method != http.MethodGet) && policy.NamesMethod(l.Schema, r, p.method) {
			found = append(found, p)
		}
	}
	return found
}

// checkParent finds a rule about everything below a path that does not include the
// path itself.
func (l *Linter) checkParent(r policy.Rule) {
	parent, ok := strings.CutSuffix(l.object(r), "/*")
	if !ok || parent == "" || !isPath(parent) || l.settings.ObjectRoute || l.shape.object.Function != "keyMatch" && !isRegexp(l.shape.object.Function) {
		return
	}
	methods := slices.Collect(policy.Methods(l.Schema, r))
	if len(methods) == 0 {
		methods = []string{http.MethodGet}
	}
	if !slices.ContainsFunc(methods, func(method string) bool { return !l.answered(r, parent, method) }) {
		return
	}
	l.reportColumn(r, l.shape.object.column, model.CodeParent, "add a line for that path, if it is meant too",
		`the pattern does not match the path before its "/*", and no other rule of the subject does`)
}

// maxRoles is the maximum number of roles of a subject that are checked.
const maxRoles = 64

// answered reports whether the policy decides about an object and a method for the
// subject of r, or for the default role: with any effect if r allows, with a deny if it
// denies. Methods that no route has need no decision.
func (l *Linter) answered(r policy.Rule, object, method string) bool {
	action := policy.ValueAt(r, l.shape.action.column)
	if object == l.object(r) && l.shape.action.matches(method, action) || l.routes != nil && !l.routes.has(l.shape.object, object, method) {
		return true
	}
	effect := ""
	if policy.EffectOf(l.Schema, r) == "deny" {
		effect = "deny"
	}
	subject := int32(0)
	if l.shape.subject >= 0 {
		subject = r.Number(l.shape.subject)
	}
	answers := func(name int32) bool { return l.cover.answers(r, name, object, method, effect) }
	if answers(subject) {
		return true
	}
	g := l.graphs["g"]
	if g == nil || g.Tenants || g.Patterned() {
		return g != nil
	}
	role := l.numberOfDefault()
	return rolesAnswer(g, subject, answers) || role != 0 && (answers(role) || rolesAnswer(g, role, answers))
}

// rolesAnswer reports whether one of the roles of a name answers, or they are too many to
// ask.
func rolesAnswer(g *policy.Graph, name int32, answers func(int32) bool) bool {
	c := g.Of(policy.Pair{Name: name})
	if c == nil || len(c.Links) > maxRoles {
		return c != nil
	}
	for _, role := range c.Links {
		if answers(role.Number) {
			return true
		}
	}
	return false
}
