package lsp

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// sectionKeys maps Casbin's sections to the key that each defines.
var sectionKeys = map[string]string{
	"request_definition": "r", "policy_definition": "p", "role_definition": "g",
	"policy_effect": "e", "matchers": "m", "constraint_definition": "c",
}

// sectionNames lists the sections in the usual order.
var sectionNames = []string{"request_definition", "policy_definition", "role_definition", "policy_effect", "matchers", "constraint_definition"}

// token is a word, quoted text or operator of a model, by its offsets.
type token struct {
	text       string
	start, end int
	quoted     bool
}

type definition struct {
	section, key string
	start, end   int // of the key
	value        []token
}

// modelText is a model as typed, possibly malformed.
type modelText struct {
	doc         *document
	definitions []definition
	// sections are the section headers, by offset.
	sections []token
	comments []token
}

// readModelText scans a model line by line like the loader: "#" and ";" begin comments, and
// a backslash at the end continues a line.
func readModelText(d *document) *modelText {
	m := &modelText{doc: d}
	section, continued := "", false
	for n := range d.lines() {
		line := d.line(n)
		trimmed := strings.TrimSpace(line)
		start := d.feeds[n] + strings.Index(line, trimmed)
		end := start + len(trimmed)
		switch {
		case trimmed == "":
			continued = false
		case trimmed[0] == '#' || trimmed[0] == ';':
			m.comments = append(m.comments, token{trimmed, start, end, false})
			continued = false
		case trimmed[0] == '[' && trimmed[len(trimmed)-1] == ']':
			section, continued = trimmed[1:len(trimmed)-1], false
			m.sections = append(m.sections, token{section, start, end, false})
		default:
			if !continued {
				key, _, ok := strings.Cut(trimmed, "=")
				made := definition{section: section, key: strings.TrimSpace(key), start: start, end: start + len(strings.TrimSpace(key))}
				if ok {
					start += len(key) + 1
				}
				m.definitions = append(m.definitions, made)
			}
			last := &m.definitions[len(m.definitions)-1]
			if start < end {
				last.value = appendTokens(last.value, d.text[start:end], start)
			}
			continued = strings.HasSuffix(trimmed, `\`)
		}
	}
	return m
}

// appendTokens splits part of a definition, which begins at offset, into tokens.
func appendTokens(tokens []token, text string, offset int) []token {
	for i := 0; i < len(text); {
		start := i
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\\':
			i++
			continue
		case c == '"' || c == '\'':
			i++
			for i < len(text) && text[i] != c {
				i++
			}
			inner := text[start+1 : i]
			i = min(i+1, len(text))
			tokens = append(tokens, token{inner, offset + start, offset + i, true})
			continue
		case isWordByte(c):
			for i < len(text) && (isWordByte(text[i]) || text[i] == '.') {
				i++
			}
		default:
			i++
		}
		tokens = append(tokens, token{text[start:i], offset + start, offset + i, false})
	}
	return tokens
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
}

// negates reports whether a matcher may be true because a condition is false: by a negation,
// a choice, or a comparison of results.
func (m *modelText) negates() bool {
	for _, d := range m.definitions {
		for i, t := range d.value {
			if d.section != "matchers" || t.quoted {
				continue
			}
			calls := i+2 < len(d.value) && d.value[i+2].text == "(" && !d.value[i+1].quoted && isWordByte(d.value[i+1].text[0])
			if t.text == "!" || t.text == "?" || t.text == "false" || t.text == "=" && (i > 0 && d.value[i-1].text == ")" || calls) {
				return true
			}
		}
	}
	return false
}

// definition returns the first definition of a key, or nil.
func (m *modelText) definition(key string) *definition {
	for i := range m.definitions {
		if d := &m.definitions[i]; d.key == key && key != "" && sectionKeys[d.section] == key[:1] {
			return d
		}
	}
	return nil
}

// fields returns the field names in a request or policy definition.
func (m *modelText) fields(key string) []token {
	d := m.definition(key)
	if d == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(d.value), func(t token) bool { return t.quoted || !isWordByte(t.text[0]) })
}

// columns returns the field names by column, with "" for a name missing between commas.
func (m *modelText) columns(key string) []string {
	d := m.definition(key)
	if d == nil {
		return nil
	}
	names := []string{""}
	for _, t := range d.value {
		switch last := &names[len(names)-1]; {
		case t.text == "," && !t.quoted:
			names = append(names, "")
		case *last == "" && !t.quoted && isWordByte(t.text[0]):
			*last = t.text
		}
	}
	return names
}

// roleKinds returns the kinds of role links, with the number of fields in their lines
// before an optional start and end.
func (m *modelText) roleKinds() map[string]int {
	kinds := map[string]int{}
	for _, d := range m.definitions {
		if d.section == "role_definition" && strings.HasPrefix(d.key, "g") {
			for _, t := range d.value {
				if t.text == "(" {
					break
				}
				if t.text == "_" {
					kinds[d.key]++
				}
			}
		}
	}
	return kinds
}

// at returns the definition whose value contains offset, and the token there.
func (m *modelText) at(offset int) (*definition, *token) {
	for i := range m.definitions {
		d := &m.definitions[i]
		for j := range d.value {
			if t := &d.value[j]; t.start <= offset && offset <= t.end && (offset < t.end || !t.quoted && isWordByte(t.text[0])) {
				return d, t
			}
		}
	}
	return nil, nil
}

// keyAt returns the definition whose key contains offset, or nil.
func (m *modelText) keyAt(offset int) *definition {
	for i := range m.definitions {
		if d := &m.definitions[i]; d.start <= offset && offset <= d.end {
			return d
		}
	}
	return nil
}

// The domains of policy fields. Names in the same domain refer to the same thing wherever
// they occur.
const (
	domainSubject = "sub"
	domainTenant  = "dom"
	domainObject  = "obj"
	domainAction  = "act"
	domainEffect  = "eft"
)

// schema is what a model defines about policy lines.
type schema struct {
	model *modelText
	// columns are the field names of p lines. domains are the domains of the fields of each
	// kind of line, with "" for fields of no known domain.
	columns []string
	domains map[string][]string
	// functions are the functions that compare columns of p lines with requests.
	functions map[int]string
	// compared are the functions that match the names of a domain as patterns.
	compared map[string][]string
	request  []string
}

// usualFields maps common field names to domains, for models that cannot be loaded.
var usualFields = map[string]string{
	"sub": domainSubject, "dom": domainTenant, "domain": domainTenant, "tenant": domainTenant,
	"obj": domainObject, "act": domainAction, "eft": domainEffect,
}

// readSchema reads the model of a project, however malformed.
func readSchema(files overlay, p Project) *schema {
	name, text := p.Model.Name(), p.Model.Text()
	d := files.docs[name]
	if d == nil {
		if text == "" {
			content, err := fs.ReadFile(files, name)
			if err != nil {
				return nil
			}
			text = string(content)
		}
		d = newDocument(uriOf(name), name, 0, KindModel, text)
	}
	s := &schema{model: readModelText(d), domains: map[string][]string{}, functions: map[int]string{}, compared: map[string][]string{}}
	s.columns = s.model.columns("p")
	for _, t := range s.model.fields("r") {
		s.request = append(s.request, t.text)
	}
	s.domains["p"] = make([]string, len(s.columns))
	links := map[string]string{"g": domainSubject}
	s.readMatcher(files, p, links)
	for i, name := range s.columns {
		if s.domains["p"][i] == "" {
			s.domains["p"][i] = usualFields[name]
		}
	}
	for kind, width := range s.model.roleKinds() {
		s.domains[kind] = []string{links[kind], links[kind], domainTenant}[:min(width, 3)]
	}
	return s
}

// readMatcher determines what each column is compared with. A model with errors has no
// usable matcher, so the domains are then guessed from the field names.
func (s *schema) readMatcher(files overlay, p Project, links map[string]string) {
	files = files.with(noPolicy, newDocument("", noPolicy, 0, KindPolicy, ""))
	a, err := casbinrules.OpenFS(files, p.Model, []string{noPolicy}, append(slices.Clone(p.Options), casbinrules.WithEmptyPolicy())...)
	if err != nil {
		return
	}
	comparisons := a.Matcher().Comparisons
	for _, c := range comparisons {
		if domain := usualFields[c.Field]; strings.HasPrefix(c.Function, "g") && domain != "" {
			links[c.Function] = domain
		}
	}
	for _, c := range comparisons {
		// What links connect with an attribute has the names of the links.
		domain := cmp.Or(usualFields[c.Field], links[c.Function])
		if c.Column < 0 || c.Column >= len(s.columns) {
			continue
		}
		if domain != "" {
			s.domains["p"][c.Column] = domain
		}
		if c.Function != "==" && s.model.roleKinds()[c.Function] == 0 && domain != "" {
			s.compared[domain] = append(s.compared[domain], c.Function)
		}
		if s.functions[c.Column] == "" {
			s.functions[c.Column] = c.Function
		}
	}
}

// domain returns the domain of a field, where field 0 is the kind of line.
func (s *schema) domain(kind string, field int) string {
	if d := s.domains[kind]; field >= 1 && field <= len(d) {
		return d[field-1]
	}
	return ""
}

// isLink reports whether lines of this kind are role links.
func (s *schema) isLink(kind string) bool {
	_, known := s.domains[kind]
	return known && kind != "p"
}
