package lsp

import (
	"slices"
	"strings"
)

// completeTest proposes the parts of a test, or of a line in a table of tests.
func (p *policy) completeTest(to *proposals) {
	d := to.q.doc
	line := lineOf(d.feeds, to.end)
	before := d.text[d.feeds[line]:to.end]
	words := testWords(before)
	if strings.HasPrefix(strings.TrimSpace(before), "#") || p.schema == nil {
		return
	}
	n := len(words) // the cursor is at a new word
	if n > 0 && words[n-1].end == len(before) {
		n--
		to.start = d.feeds[line] + words[n].start
	}
	open := strings.LastIndexByte(before, '[')
	inTable := isInTable(d, line)
	isHead := n > 0 && isTableHead(words[0])
	switch {
	case n == 0 && !inTable:
		to.add(itemKeyword, "", "allow", "deny", "table")
	case open > strings.LastIndexByte(before, ']') && (isHead || !inTable && len(words) == 2):
		to.start = d.feeds[line] + strings.LastIndexAny(before, "[,") + 1
		p.completeRoles(to)
	case n > 0 && isIn(words[n-1]) && (isHead || !inTable):
		p.propose(to, domainTenant, false)
	case isHead:
		p.completeTenantWord(to, words[1:n])
		p.completeUsers(to)
	case inTable && n == 0:
		p.propose(to, domainObject, false)
		to.add(itemKeyword, "another table", "table")
	case inTable && n == 1:
		p.propose(to, domainAction, false)
	case inTable:
		to.add(itemKeyword, "", "allow", "deny", "-")
	case n == 1:
		p.completeUsers(to)
	default:
		p.completeTenantWord(to, words[2:n])
		p.propose(to, domainObject, false)
		p.propose(to, domainAction, false)
	}
}

// isInTable reports whether a line belongs to the body of a table.
func isInTable(d *document, line int) bool {
	for n := line - 1; n >= 0; n-- {
		if strings.TrimSpace(d.line(n)) == "" {
			return false
		}
		if words := testWords(d.line(n)); len(words) > 0 && isTableHead(words[0]) {
			return true
		}
	}
	return false
}

// completeRoles proposes roles that credentials may carry.
func (p *policy) completeRoles(to *proposals) {
	_, groups := p.names(domainSubject)
	var roles []string
	for name := range groups {
		roles = append(roles, strings.TrimPrefix(name, p.Read.RolePrefix))
	}
	slices.Sort(roles)
	to.add(itemClass, "role", append(roles, p.columnTexts(domainSubject)...)...)
}

func (p *policy) completeUsers(to *proposals) {
	names, groups := p.names(domainSubject)
	to.add(itemValue, "user", slices.DeleteFunc(names, func(name string) bool { return groups[name] })...)
	to.add(itemKeyword, "no credentials", "anonymous")
}

// completeTenantWord proposes the word "in" if the model has tenants and nothing follows
// the user yet, or precedes the users of a table.
func (p *policy) completeTenantWord(to *proposals, between []testWord) {
	if len(between) == 0 && slices.Contains(p.schema.domains["p"], domainTenant) {
		to.add(itemKeyword, "tenant", "in")
	}
}
