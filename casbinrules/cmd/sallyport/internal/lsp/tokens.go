package lsp

import (
	"slices"
	"strings"
)

// The kinds of semantic tokens, by index in the legend.
const (
	tokenKeyword = iota
	tokenComment
	tokenString
	tokenOperator
	tokenFunction
	tokenProperty
	tokenVariable // users
	tokenClass    // roles and groups
	tokenNamespace
	tokenMethod
	tokenNone = -1
)

func tokenLegend() map[string]any {
	return map[string]any{
		"tokenTypes":     []string{"keyword", "comment", "string", "operator", "function", "property", "variable", "class", "namespace", "method"},
		"tokenModifiers": []string{},
	}
}

// colours collects the tokens of a document in text order.
type colours struct {
	q    *query
	data []int
	last position
}

func (c *colours) add(start, end, kind int) {
	at := c.q.doc.position(start, c.q.view.enc)
	length := c.q.doc.position(end, c.q.view.enc).Character - at.Character
	if kind == tokenNone || length <= 0 {
		return
	}
	character := at.Character
	if at.Line == c.last.Line {
		character -= c.last.Character
	}
	c.data = append(c.data, at.Line-c.last.Line, character, length, kind, 0)
	c.last = at
}

func (s *server) semanticTokens(q *query) (any, error) {
	c := &colours{q: q, data: []int{}}
	switch q.doc.kind {
	case KindModel:
		c.addModel()
	case KindPolicy:
		s.policyOf(q).addRows(c)
	case KindTests:
		c.addTests()
	}
	return map[string]any{"data": c.data}, nil
}

func (p *policy) addRows(c *colours) {
	d := c.q.doc
	groups := map[string]map[string]bool{}
	for _, domain := range []string{domainSubject, domainObject, domainAction} {
		_, groups[domain] = p.names(domain)
	}
	for n := range d.lines() {
		line := d.line(n)
		if at := len(line) - len(strings.TrimLeft(line, " \t")); at < len(line) && line[at] == '#' {
			c.add(d.feeds[n]+at, d.feeds[n]+len(line), tokenComment)
			continue
		}
		r := row{d, n, splitFields(line)}
		for i, f := range r.fields {
			kind := tokenKeyword
			if i > 0 {
				kind = kindOfValue(p.domain(&r, i), groups[p.domain(&r, i)][f.text])
			}
			c.add(r.offset(f), r.offset(f)+f.end-f.start, kind)
		}
	}
}

// kindOfValue returns the token kind of a value; group reports whether role links lead to
// it.
func kindOfValue(domain string, group bool) int {
	switch {
	case group:
		return tokenClass
	case domain == domainSubject:
		return tokenVariable
	case domain == domainTenant:
		return tokenNamespace
	case domain == domainAction:
		return tokenMethod
	case domain == domainEffect:
		return tokenKeyword
	}
	return tokenString
}

func (c *colours) addModel() {
	m := readModelText(c.q.doc)
	type part struct{ start, end, kind int }
	var parts []part
	for _, t := range m.sections {
		parts = append(parts, part{t.start, t.end, tokenNamespace})
	}
	for _, t := range m.comments {
		parts = append(parts, part{t.start, t.end, tokenComment})
	}
	roles := m.roleKinds()
	for _, d := range m.definitions {
		parts = append(parts, part{d.start, d.end, tokenKeyword})
		for i, t := range d.value {
			kind := tokenOperator
			switch _, isRole := roles[t.text]; {
			case t.quoted:
				kind = tokenString
			case isRole, i+1 < len(d.value) && d.value[i+1].text == "(" && isWordByte(t.text[0]):
				kind = tokenFunction
			case isWordByte(t.text[0]) && t.text != "_":
				kind = tokenProperty
			}
			parts = append(parts, part{t.start, t.end, kind})
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return a.start - b.start })
	for _, p := range parts {
		c.add(p.start, p.end, p.kind)
	}
}

func (c *colours) addTests() {
	d := c.q.doc
	for n, words := range testLines(d) {
		line := d.line(n)
		end := 0
		for i, w := range words {
			kind := tokenString
			switch {
			case w.domain == "" && (i == 0 || isIn(w) || w.text == "allow" || w.text == "deny"):
				kind = tokenKeyword
			case w.domain != "":
				kind = kindOfValue(w.domain, false)
			}
			c.add(d.feeds[n]+w.start, d.feeds[n]+w.end, kind)
			end = w.end
			for _, r := range w.roles {
				c.add(d.feeds[n]+r.start, d.feeds[n]+r.end, tokenClass)
				end = r.end
			}
		}
		rest := line[end:]
		if i := strings.IndexByte(rest, '#'); i >= 0 && (i == 0 || len(words) == 0 || strings.ContainsAny(rest[i-1:i], " \t")) {
			c.add(d.feeds[n]+end+i, d.feeds[n]+len(line), tokenComment)
		}
	}
}
