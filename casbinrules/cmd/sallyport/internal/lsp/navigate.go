package lsp

import (
	"slices"
	"strings"
)

// name is the name at the cursor: one in the policy, or a field of the model.
type name struct {
	domain, text string
	// field is "p.obj" or "r.sub" for a field of the model, "g" for a kind of role links,
	// and "" for a name in the policy.
	field string
	at    place
}

// place is an occurrence of a name in a document.
type place struct {
	doc        *document
	start, end int // offsets
	// quoted reports whether the occurrence is in quotes, which it then includes.
	quoted bool
	// defines reports whether this assigns a role, or defines a field.
	defines bool
	role    bool // in a test, where role names have no prefix
}

// maxPlaces is the maximum number of occurrences sent for one name.
const maxPlaces = 10_000

func (p place) location(enc encoding) location {
	return location{p.doc.uri, p.doc.rangeOf(p.start, p.end, enc)}
}

// nameAt returns the name at an offset of a document; nil if there is none.
func (p *policy) nameAt(d *document, offset int) *name {
	if p.schema == nil {
		return nil
	}
	switch d.kind {
	case KindModel:
		return p.modelNameAt(d, offset)
	case KindPolicy:
		r, n := p.field(d, offset)
		if r == nil {
			return nil
		}
		f := r.fields[n]
		at := place{doc: d, start: r.offset(f), end: r.offset(f) + f.end - f.start, quoted: f.quoted}
		if n == 0 {
			return &name{text: f.text, field: f.text, at: at}
		}
		made := &name{domain: p.domain(r, n), text: f.text, at: at}
		if made.domain == "" && r.kind() == "p" && n <= len(p.schema.columns) && p.schema.columns[n-1] != "" {
			made.field = "p." + p.schema.columns[n-1]
		}
		return made
	}
	return p.testNameAt(d, offset)
}

func (p *policy) modelNameAt(d *document, offset int) *name {
	m := p.schema.model
	if m.doc != d {
		return nil
	}
	def, t := m.at(offset)
	if def == nil {
		if def = m.keyAt(offset); def != nil {
			return &name{text: def.key, field: def.key, at: place{doc: d, start: def.start, end: def.end}}
		}
		return nil
	}
	at := place{doc: d, start: t.start, end: t.end, quoted: t.quoted}
	switch _, isRole := m.roleKinds()[t.text]; {
	case t.quoted && (def.section == "constraint_definition" || def.section == "matchers" && slices.ContainsFunc(p.matcherRoles(), func(r token) bool { return r.start == t.start })):
		return &name{domain: domainSubject, text: t.text, at: at}
	case t.quoted:
		return nil
	case isRole && def.section == "matchers":
		return &name{text: t.text, field: t.text, at: at}
	case def.key == "r" || def.key == "p":
		return &name{text: t.text, field: def.key + "." + t.text, at: at}
	case strings.HasPrefix(t.text, "r.") || strings.HasPrefix(t.text, "p."):
		return &name{text: t.text[2:], field: t.text, at: at}
	}
	return nil
}

// matcherRoles returns the roles that the matcher mentions, as in g(r.sub, "admin").
func (p *policy) matcherRoles() []token {
	d := p.schema.model.definition("m")
	if d == nil {
		return nil
	}
	var found []token
	for i := range d.value {
		v := d.value
		if i >= 4 && v[i].quoted && v[i-1].text == "," && v[i-2].text == "r.sub" && v[i-3].text == "(" && p.schema.domain(v[i-4].text, 1) == domainSubject {
			found = append(found, v[i])
		}
	}
	return found
}

func (p *policy) testNameAt(d *document, offset int) *name {
	line := lineOf(d.feeds, offset)
	from := d.feeds[line]
	for i, w := range testLines(d)[line] {
		for _, r := range w.roles {
			if from+r.start <= offset && offset <= from+r.end {
				return &name{domain: domainSubject, text: p.Read.RolePrefix + r.text, at: place{doc: d, start: from + r.start, end: from + r.end, quoted: r.quoted, role: true}}
			}
		}
		if i == 0 && w.domain == "" || offset < from+w.start || offset > from+w.end {
			continue
		}
		return &name{domain: w.domain, text: w.text, at: place{doc: d, start: from + w.start, end: from + w.end, quoted: w.quoted}}
	}
	return nil
}

// places returns the occurrences of a name in the policy, the model and the tests.
func (p *policy) places(of *name) []place {
	var found []place
	for i := range p.rows {
		r := &p.rows[i]
		for n, f := range r.fields {
			if len(found) == maxPlaces {
				return found
			}
			if n > 0 && f.text == of.text && p.domain(r, n) == of.domain {
				at := r.offset(f)
				found = append(found, place{doc: r.doc, start: at, end: at + f.end - f.start, quoted: f.quoted, defines: n == 2 && p.schema.isLink(r.kind())})
			}
		}
	}
	if of.domain == domainSubject && p.schema.model.doc.uri != "" {
		roles := p.matcherRoles()
		for _, d := range p.schema.model.definitions {
			if d.section == "constraint_definition" {
				roles = append(roles, d.value...)
			}
		}
		for _, t := range roles {
			if t.quoted && t.text == of.text {
				found = append(found, place{doc: p.schema.model.doc, start: t.start, end: t.end, quoted: true})
			}
		}
	}
	for _, d := range p.tests {
		found = append(found, p.testPlaces(d, of)...)
	}
	return found
}

func (p *policy) testPlaces(d *document, of *name) []place {
	var found []place
	for n, words := range testLines(d) {
		for _, w := range words {
			if w.domain != "" && w.text == of.text && w.domain == of.domain {
				found = append(found, place{doc: d, start: d.feeds[n] + w.start, end: d.feeds[n] + w.end, quoted: w.quoted})
			}
			for _, r := range w.roles {
				if of.domain == domainSubject && p.Read.RolePrefix+r.text == of.text {
					found = append(found, place{doc: d, start: d.feeds[n] + r.start, end: d.feeds[n] + r.end, quoted: r.quoted, role: true})
				}
			}
		}
	}
	return found
}

// fieldPlaces returns the occurrences of a field in the model, its definition first, and
// for a column of p lines also its values there.
func (p *policy) fieldPlaces(field string) []place {
	m := p.schema.model
	var found []place
	key, column, isField := strings.Cut(field, ".")
	if d := m.definition(key); d != nil {
		if !isField {
			found = append(found, place{doc: m.doc, start: d.start, end: d.end, defines: true})
		}
		for _, t := range d.value {
			if isField && t.text == column {
				found = append(found, place{doc: m.doc, start: t.start, end: t.end, defines: true})
			}
		}
	}
	for _, d := range m.definitions {
		for _, t := range d.value {
			if !t.quoted && d.section == "matchers" && t.text == field {
				found = append(found, place{doc: m.doc, start: t.start, end: t.end})
			}
		}
	}
	n := slices.Index(p.schema.columns, column) + 1
	for i := range p.rows {
		r := &p.rows[i]
		if len(found) == maxPlaces {
			break
		}
		at := 0
		if isField {
			at = n
		}
		if key == r.kind() && at < len(r.fields) && (at > 0 || !isField) {
			f := r.fields[at]
			found = append(found, place{doc: r.doc, start: r.offset(f), end: r.offset(f) + f.end - f.start})
		}
	}
	return found
}

// definition leads from a name to where its role is assigned, from a role assignment to the
// role's rules, and from a field to its definition in the model.
func (s *server) definition(q *query) (any, error) {
	p := s.policyOf(q)
	of := p.nameAt(q.doc, q.doc.offset(q.Position, q.view.enc))
	if of == nil {
		return nil, nil
	}
	var found []place
	if of.field != "" {
		found = slices.DeleteFunc(p.fieldPlaces(of.field), func(at place) bool { return !at.defines })
	} else {
		found = p.definitions(of)
	}
	return locations(found, q.view.enc), nil
}

func (p *policy) definitions(of *name) []place {
	all := p.places(of)
	gives := slices.DeleteFunc(slices.Clone(all), func(at place) bool { return !at.defines })
	atGiven := slices.ContainsFunc(gives, func(at place) bool { return at.doc == of.at.doc && at.start == of.at.start })
	if len(gives) > 0 && !atGiven {
		return gives
	}
	rules := slices.DeleteFunc(all, func(at place) bool {
		r, _ := p.field(at.doc, at.start)
		return at.doc.kind != KindPolicy || r == nil || r.kind() != "p" || at.doc == of.at.doc && at.start == of.at.start
	})
	if len(rules) > 0 {
		return rules
	}
	for i, domain := range p.schema.domains["p"] {
		if domain == of.domain {
			return slices.DeleteFunc(p.fieldPlaces("p."+p.schema.columns[i]), func(at place) bool { return !at.defines })
		}
	}
	return nil
}

func (s *server) references(q *query) (any, error) {
	p := s.policyOf(q)
	of := p.nameAt(q.doc, q.doc.offset(q.Position, q.view.enc))
	if of == nil {
		return nil, nil
	}
	if of.field != "" {
		return locations(p.fieldPlaces(of.field), q.view.enc), nil
	}
	return locations(p.places(of), q.view.enc), nil
}

// locations converts places in files for the client. Presets are not files and are left
// out.
func locations(places []place, enc encoding) []location {
	made := []location{}
	for _, at := range places {
		if at.doc.uri != "" {
			made = append(made, at.location(enc))
		}
	}
	return made
}
