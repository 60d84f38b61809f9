package lsp

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// prepareRename returns the range and the current name at the cursor.
func (s *server) prepareRename(q *query) (any, error) {
	p := s.policyOf(q)
	of, err := p.renamable(q)
	if err != nil {
		return nil, err
	}
	return map[string]any{"range": q.doc.rangeOf(of.at.start, of.at.end, q.view.enc), "placeholder": p.shownName(of.at, of.text)}, nil
}

// shownName returns a name as written at a place.
func (p *policy) shownName(at place, text string) string {
	if at.role {
		return strings.TrimPrefix(text, p.Read.RolePrefix)
	}
	return text
}

// renamable returns the name at the cursor, if it is one that only the policy defines: a
// role, user, tenant or group.
func (p *policy) renamable(q *query) (*name, error) {
	of := p.nameAt(q.doc, q.doc.offset(q.Position, q.view.enc))
	refused := &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: "only roles, users, tenants and groups can be renamed here"}
	if of == nil || of.field != "" || of.text == "*" || of.text == "" {
		return nil, refused
	}
	if of.domain == domainSubject || of.domain == domainTenant {
		return of, nil
	}
	_, groups := p.names(of.domain)
	if of.domain == "" || !groups[of.text] {
		return nil, refused
	}
	return of, nil
}

func (s *server) rename(q *query) (any, error) {
	p := s.policyOf(q)
	of, err := p.renamable(q)
	if err != nil {
		return nil, err
	}
	refused := func(text string) error { return &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: text} }
	if invisible := func(c rune) bool { return !unicode.IsPrint(c) }; q.NewName == "" || strings.TrimSpace(q.NewName) != q.NewName || strings.ContainsFunc(q.NewName, invisible) {
		return nil, refused("a name must consist of visible characters, without spaces around it")
	}
	to := q.NewName
	if of.at.role {
		to = p.Read.RolePrefix + to
	}
	if p.Read.RolePrefix != "" && strings.HasPrefix(of.text, p.Read.RolePrefix) != strings.HasPrefix(to, p.Read.RolePrefix) {
		return nil, refused("names of roles must begin with " + p.Read.RolePrefix + ", and other names must not")
	}
	edits := map[string][]textEdit{}
	places := p.places(of)
	if to == of.text {
		return q.view.edit(edits), nil
	}
	if why := p.renameConflict(of, to, places); why != "" {
		return nil, refused(why)
	}
	if len(places) >= maxPlaces {
		return nil, refused("the name occurs in too many places to be renamed")
	}
	for _, at := range places {
		if at.doc.uri == "" {
			continue
		}
		value, err := p.valueAt(at, to)
		if err != nil {
			return nil, refused(err.Error())
		}
		edits[at.doc.uri] = append(edits[at.doc.uri], textEdit{at.doc.rangeOf(at.start, at.end, q.view.enc), value})
	}
	return q.view.edit(edits), nil
}

// renameConflict returns why renaming would change decisions; "" if it would not.
func (p *policy) renameConflict(of *name, to string, places []place) string {
	switch {
	case to == "*":
		return "* is not one name, but every one"
	case of.domain == domainSubject && (to == ask.Anonymous || of.text == ask.Anonymous):
		return ask.Anonymous + " stands for requests without credentials, and cannot be renamed or used as a name"
	case len(p.places(&name{domain: of.domain, text: to})) > 0:
		return to + " already exists, and the two names would become one"
	}
	m := p.schema.model
	for _, d := range m.definitions {
		if d.section != "matchers" {
			continue
		}
		for _, t := range d.value {
			if !t.quoted {
				continue
			}
			if t.text == to {
				return "the matcher mentions " + to
			}
			if t.text == of.text && !slices.ContainsFunc(places, func(at place) bool { return at.doc == m.doc && at.doc.uri != "" && at.start == t.start }) {
				return "the matcher mentions " + of.text + " where it cannot be renamed"
			}
		}
	}
	if !p.comparesOnly(of.domain) {
		return "the matcher does more with such names than compare them with each other"
	}
	return p.patternConflict(of, to)
}

// patternConflict returns which pattern a rename would affect; "" if none.
func (p *policy) patternConflict(of *name, to string) string {
	names, _ := p.names(of.domain)
	for _, function := range p.patternsOf(of.domain) {
		for _, text := range []string{of.text, to} {
			if isPattern(function, text) {
				return text + " is a pattern of " + function + ", not just a name"
			}
		}
		for _, other := range names {
			pattern := casbinrules.Pattern{Text: other, Function: function}
			if other != of.text && pattern.Matches(of.text) != pattern.Matches(to) {
				return "the pattern " + other + " matches only one of " + of.text + " and " + to
			}
		}
	}
	return ""
}

// patternsOf returns the functions that match names of a domain as patterns, in columns of
// p lines and in role links.
func (p *policy) patternsOf(domain string) []string {
	found := slices.Clone(p.schema.compared[domain])
	for kind, function := range p.rolePatterns() {
		if p.schema.domain(kind, 1) == domain {
			found = append(found, function)
		}
	}
	if domain == domainTenant && len(p.Read.TenantPatterns) > 0 {
		found = append(found, "keyMatch")
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// rolePatterns returns the functions that match names in role links as patterns, by the
// kind of the links.
func (p *policy) rolePatterns() map[string]string {
	functions := map[string]string{}
	for _, patterns := range p.Read.RolePatterns {
		kind, function, _ := strings.Cut(patterns, "=") // as checked by Library
		functions[kind] = function
	}
	return functions
}

// isPattern reports whether text may match other names.
func isPattern(function, text string) bool {
	switch function {
	case "keyMatch":
		return strings.Contains(text, "*")
	case "regexMatch":
		return true // an unanchored search
	}
	return regexp.QuoteMeta(text) != text || strings.Contains(text, ":")
}

// notInModel matches names that cannot be written into a matcher or constraint. Even inside
// quotes, Casbin recognizes comments and fields there, and treats each byte as a character.
var notInModel = regexp.MustCompile(`["'\\#;,\[\]]|\b[rp][0-9]*\.|[^\x00-\x7f]`)

// valueAt returns a name as it must be written at a place.
func (p *policy) valueAt(at place, text string) (string, error) {
	text = p.shownName(at, text)
	switch {
	case at.doc.kind == KindModel && notInModel.MatchString(text):
		return "", errors.New(`a model cannot have a text with quotes, a backslash, "#", ";", a comma, brackets, "r.", "p." or letters beyond ASCII`)
	case at.doc.kind == KindModel:
		return `"` + text + `"`, nil
	case at.doc.kind == KindTests && (text == "in" || strings.ContainsAny(text, " \"[],#=")):
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`, nil
	case at.doc.kind == KindTests:
		return text, nil
	}
	return quotedValue(text), nil
}
