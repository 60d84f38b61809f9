package lsp

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// The kinds of completion items used here.
const (
	itemFunction = 3
	itemField    = 5
	itemClass    = 7
	itemModule   = 9
	itemValue    = 12
	itemKeyword  = 14
	itemFile     = 17
)

type completionItem struct {
	Label    string    `json:"label"`
	Kind     int       `json:"kind"`
	Detail   string    `json:"detail,omitempty"`
	Filter   string    `json:"filterText,omitempty"`
	TextEdit *textEdit `json:"textEdit,omitempty"`
}

// maxItems is the maximum number of names in one completion list, after filtering by the
// prefix already typed.
const maxItems = 200

// usualMethods are proposed for actions.
var usualMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions, "*"}

// proposals collects the completions that may replace the text between two offsets.
type proposals struct {
	q          *query
	start, end int
	// quote encodes a text as a value of the document.
	quote func(string) string
	items []completionItem
	seen  map[string]bool
	more  bool
}

func (p *proposals) add(kind int, detail string, texts ...string) {
	typed := strings.TrimPrefix(p.q.doc.text[p.start:p.end], `"`)
	for _, text := range texts {
		if text == "" || p.seen[text] || !strings.HasPrefix(strings.ToLower(text), strings.ToLower(typed)) {
			continue
		}
		if len(p.items) == maxItems {
			p.more = true
			return
		}
		p.seen[text] = true
		value := text
		if p.quote != nil {
			value = p.quote(text)
		}
		p.items = append(p.items, completionItem{
			Label: text, Kind: kind, Detail: detail, Filter: value,
			TextEdit: &textEdit{p.q.doc.rangeOf(p.start, p.end, p.q.view.enc), value},
		})
	}
}

// complete answers textDocument/completion.
func (s *server) complete(q *query) (any, error) {
	at := q.doc.offset(q.Position, q.view.enc)
	p := &proposals{q: q, start: at, end: at, seen: map[string]bool{}}
	switch q.doc.kind {
	case KindModel:
		p.completeModel()
	case KindPolicy:
		s.policyOf(q).completeRow(p)
	case KindTests:
		s.policyOf(q).completeTest(p)
	}
	return map[string]any{"isIncomplete": p.more, "items": append([]completionItem{}, p.items...)}, nil
}

// completeRow proposes line kinds and field values.
func (p *policy) completeRow(to *proposals) {
	d := to.q.doc
	line := lineOf(d.feeds, to.end)
	before := d.text[d.feeds[line]:to.end]
	if strings.HasPrefix(strings.TrimSpace(before), "#") || p.schema == nil {
		return
	}
	fields := splitFields(before)
	n := max(len(fields)-1, 0) // the field being typed
	if len(fields) > 0 && fields[n].end > fields[n].start {
		to.start = d.feeds[line] + fields[n].start
	}
	if n == 0 {
		kinds := []string{"p"}
		for kind := range p.schema.model.roleKinds() {
			kinds = append(kinds, kind)
		}
		slices.Sort(kinds[1:])
		to.add(itemKeyword, "kind of line", kinds...)
		return
	}
	to.quote = quotedValue
	kind := fields[0].text
	domain := p.schema.domain(kind, n)
	if typed := fields[n].text; p.occurrences(domain, typed) == 1 {
		to.seen[typed] = true // it occurs only where it is being typed
	}
	p.propose(to, domain, p.schema.isLink(kind) && n == 2)
}

func (p *policy) occurrences(domain, text string) int {
	count := 0
	for i := range p.rows {
		r := &p.rows[i]
		for n := 1; n < len(r.fields); n++ {
			if r.fields[n].text == text && p.domain(r, n) == domain {
				count++
			}
		}
	}
	return count
}

// propose proposes names of a domain; with group, only names that role links lead to.
func (p *policy) propose(to *proposals, domain string, group bool) {
	names, groups := p.names(domain)
	isGroup := func(name string) bool { return groups[name] }
	switch domain {
	case domainSubject:
		given := slices.Clone(names)
		if group || len(groups) > 0 {
			to.add(itemClass, "role", slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !isGroup(n) })...)
		}
		if group {
			// A subject of a p line may be assigned to someone.
			to.add(itemClass, "subject", p.columnTexts(domainSubject)...)
			return
		}
		to.add(itemValue, "subject", given...)
	case domainTenant:
		to.add(itemModule, "tenant", names...)
	case domainObject:
		to.add(itemFile, "object", names...)
		for _, r := range p.Routes {
			to.add(itemFile, "route of "+r.Method, p.rewriteParameters(r.Pattern))
		}
	case domainAction:
		to.add(itemValue, "action", names...)
		to.add(itemKeyword, "method", usualMethods...)
	case domainEffect:
		to.add(itemKeyword, "effect", "allow", "deny")
	}
}

// columnTexts returns the distinct values of a domain in p lines.
func (p *policy) columnTexts(domain string) []string {
	seen := map[string]bool{}
	var texts []string
	for i := range p.rows {
		if p.rows[i].kind() != "p" {
			continue
		}
		if text, _, ok := p.value(&p.rows[i], domain); ok && !seen[text] {
			seen[text] = true
			texts = append(texts, text)
		}
	}
	return texts
}

// rewriteParameters rewrites the parameters of a route pattern, which frameworks write as :id, {id} or
// *rest, for the function that compares objects.
func (p *policy) rewriteParameters(pattern string) string {
	function := ""
	for i, domain := range p.schema.domains["p"] {
		if domain == domainObject {
			function = p.schema.functions[i]
		}
	}
	segments := strings.Split(pattern, "/")
	for i, segment := range segments {
		name := strings.Trim(segment, ":{}*")
		last := i == len(segments)-1
		switch {
		case name == segment:
		case last && (strings.HasPrefix(segment, "*") || strings.HasSuffix(segment, "...}")):
			segments[i] = "*"
		case function == "keyMatch2":
			segments[i] = ":" + name
		case strings.HasPrefix(function, "keyMatch") && function != "keyMatch":
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// quotedValue encodes a value as a field of a policy line.
func quotedValue(text string) string {
	if strings.ContainsAny(text, `,"#`) || strings.TrimSpace(text) != text {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}

// completeModel proposes sections, effects, and the parts of matchers.
func (p *proposals) completeModel() {
	d := p.q.doc
	m := readModelText(d)
	line := lineOf(d.feeds, p.end)
	before := d.text[d.feeds[line]:p.end]
	trimmed := strings.TrimSpace(before)
	if strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
		return
	}
	if strings.HasPrefix(trimmed, "[") {
		p.start = d.feeds[line] + strings.IndexByte(before, '[') + 1
		for _, name := range sectionNames {
			if !slices.ContainsFunc(m.sections, func(t token) bool { return t.text == name && t.end < p.start }) {
				p.add(itemModule, "section", name)
			}
		}
		return
	}
	for p.start > 0 && (isWordByte(d.text[p.start-1]) || d.text[p.start-1] == '.') {
		p.start--
	}
	section := ""
	for _, t := range m.sections {
		if t.start < p.end {
			section = t.text
		}
	}
	if !strings.Contains(before, "=") && sectionKeys[section] != "" && !strings.HasSuffix(strings.TrimSpace(d.line(max(line-1, 0))), `\`) {
		p.add(itemKeyword, "definition", sectionKeys[section])
		return
	}
	switch section {
	case "matchers":
		p.completeMatcher(m)
	case "policy_effect":
		p.start = p.end
		for _, e := range append(closedEffects[:], "!some(where (p.eft == deny))") {
			p.add(itemValue, effects[strings.ReplaceAll(e, " ", "")], e)
		}
	case "request_definition", "policy_definition":
		p.add(itemField, "field", "sub", "dom", "obj", "act", "eft")
	}
}

func (p *proposals) completeMatcher(m *modelText) {
	for _, key := range []string{"r", "p"} {
		for _, f := range m.fields(key) {
			p.add(itemField, "field", key+"."+f.text)
		}
	}
	for kind := range m.roleKinds() {
		p.add(itemFunction, "role links", kind)
	}
	for _, name := range casbinrules.AliasableFunctions() {
		p.add(itemFunction, functionMeanings[name], name)
	}
}
