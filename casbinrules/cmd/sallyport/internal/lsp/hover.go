package lsp

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/printable"
)

// hover describes what is under the cursor: a finding first, otherwise what a line grants,
// what a name is, or what a part of a model means.
func (s *server) hover(q *query) (any, error) {
	offset := q.doc.offset(q.Position, q.view.enc)
	var parts []string
	known := s.analyses.publicationOf(q.doc)
	for _, d := range known.diagnostics {
		if q.doc.offset(d.Range.Start, q.view.enc) <= offset && offset <= q.doc.offset(d.Range.End, q.view.enc) {
			parts = append(parts, meaningOf(d))
		}
	}
	var text string
	var at *token
	switch q.doc.kind {
	case KindModel:
		text, at = s.hoverModel(q, offset)
	case KindPolicy:
		text, at = s.policyOf(q).hoverRow(q.doc, offset)
	case KindTests:
		text = s.explainTest(q, offset, known)
	}
	if text != "" {
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return nil, nil
	}
	var made hover
	made.Contents.Kind, made.Contents.Value = "markdown", strings.Join(parts, "\n\n---\n\n")
	if at != nil {
		r := q.doc.rangeOf(at.start, at.end, q.view.enc)
		made.Range = &r
	}
	return made, nil
}

// explainTest explains the result of the test at offset, if there is a policy to decide it.
func (s *server) explainTest(q *query, offset int, known publication) string {
	if known.opened == nil {
		return ""
	}
	a, err := known.opened()
	if err != nil {
		return ""
	}
	text, err := s.config.Explain(q.ctx, known.project, a, q.doc.line(lineOf(q.doc.feeds, offset)))
	if err != nil {
		return ""
	}
	return escaped(text)
}

// meanings has a line "code: what it means" for each code of a finding. A test checks
// that it agrees with the page about findings.
//
//go:embed meanings.txt
var meanings string

// meaningOf returns the message of a diagnostic with the general description of its code.
func meaningOf(d diagnostic) string {
	if !isPolicyCode(d.Code) {
		return escaped(d.Message)
	}
	text := escaped(d.Message)
	for line := range strings.Lines(meanings) {
		if meaning, ok := strings.CutPrefix(line, d.Code+": "); ok {
			text += "\n\n" + strings.TrimSpace(meaning)
		}
	}
	return text + fmt.Sprintf("\n\n[%s](%s)", d.Code, findingsPage+d.Code)
}

// escaped escapes text so that Markdown shows it literally.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", `\<`, "[", `\[`, "#", `\#`, "|", `\|`, "\n", "  \n").Replace(text)
}

// code formats text as a Markdown code span. The delimiters are longer than any run of
// backticks in it, and line breaks are replaced, so nothing in the text is interpreted.
func code(text string) string {
	text = printable.Text(text, "")
	run, longest := 0, 0
	for _, c := range text {
		if run++; c != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	if longest == 0 {
		return "`" + text + "`"
	}
	fence := strings.Repeat("`", longest+1)
	return fence + " " + text + " " + fence
}

const maxListed = 12

// joinNames joins names, cut to the first maxListed.
func joinNames(names []string) string {
	shown := make([]string, 0, maxListed)
	for _, name := range names[:min(len(names), maxListed)] {
		shown = append(shown, code(name))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// hoverRow describes a policy line and the name under the cursor.
func (p *policy) hoverRow(d *document, offset int) (string, *token) {
	r, n := p.field(d, offset)
	if r == nil || p.schema == nil || p.schema.domains[r.kind()] == nil {
		return "", nil
	}
	f := r.fields[n]
	at := &token{f.text, r.offset(f), r.offset(f) + f.end - f.start, f.quoted}
	var parts []string
	if r.kind() == "p" {
		parts = append(parts, p.describeRule(r))
	} else {
		parts = append(parts, p.describeLink(r))
	}
	if n > 0 {
		if about := p.describeName(p.domain(r, n), f.text, r); about != "" {
			parts = append(parts, about)
		}
	}
	return strings.Join(parts, "\n\n"), at
}

// value returns the first field of a domain in a p line, and its column.
func (p *policy) value(r *row, domain string) (text string, column int, ok bool) {
	for i, d := range p.schema.domains["p"] {
		if d == domain && i+1 < len(r.fields) {
			return r.fields[i+1].text, i, true
		}
	}
	return "", 0, false
}

// describeRule describes what a p line grants, and to whom.
func (p *policy) describeRule(r *row) string {
	subject, _, named := p.value(r, domainSubject)
	object, column, _ := p.value(r, domainObject)
	action, _, _ := p.value(r, domainAction)
	effect, _, hasEffect := p.value(r, domainEffect)
	tenant, _, hasTenant := p.value(r, domainTenant)
	verb := "Allows"
	switch {
	case hasEffect && effect == "deny":
		verb = "Denies"
	case hasEffect && effect != "allow":
		verb = "Has no effect on"
	}
	who := "everybody whom the matcher lets through"
	if named {
		who = code(subject)
	}
	text := fmt.Sprintf("**%s** %s %s on %s", verb, who, code(action), code(object))
	if action == "*" {
		text = fmt.Sprintf("**%s** %s every usual method on %s", verb, who, code(object))
	}
	if function := p.schema.functions[column]; function != "" && function != "==" && !p.schema.isLink(function) {
		text += " (" + function + ")"
	}
	if hasTenant {
		text += " in " + code(tenant)
	}
	for i, name := range p.schema.columns {
		if name != "" && p.schema.domains["p"][i] == "" && i+1 < len(r.fields) {
			text += fmt.Sprintf(", with %s %s", name, code(r.fields[i+1].text))
		}
	}
	if named {
		text += ".\n\n" + p.describeReach(domainSubject, tenant, subject)
	}
	return text
}

// describeReach lists the names that role links connect to name.
func (p *policy) describeReach(domain, tenant, name string) string {
	from := p.linked(domain, tenant, name, true)
	if len(from) == 0 {
		return "No role link leads to " + code(name) + "."
	}
	_, groups := p.names(domain)
	var roles, users []string
	for _, n := range from {
		if groups[n] {
			roles = append(roles, n)
		} else {
			users = append(users, n)
		}
	}
	slices.Sort(users)
	var parts []string
	if len(roles) > 0 {
		parts = append(parts, "Reached by "+joinNames(roles)+".")
	}
	if len(users) > 0 {
		what := "Given to "
		if domain != domainSubject {
			what = "Holds "
		}
		parts = append(parts, what+joinNames(users)+".")
	}
	return strings.Join(parts, " ")
}

func (p *policy) describeLink(r *row) string {
	if len(r.fields) < 3 {
		return ""
	}
	domain := p.domain(r, 1)
	what := "Gives %s the role %s"
	if domain != domainSubject {
		what = "Puts %s into the group %s"
	}
	text := fmt.Sprintf(what, code(r.text(1)), code(r.text(2)))
	tenant := p.linkTenant(r)
	if tenant != "" {
		text += " in " + code(tenant)
	}
	if further := p.linked(domain, tenant, r.text(2), false); len(further) > 0 {
		text += ", and with it " + joinNames(further)
	}
	return text + "."
}

func (p *policy) describeName(domain, name string, r *row) string {
	if domain != domainSubject && domain != domainObject && domain != domainAction {
		return ""
	}
	_, groups := p.names(domain)
	tenant, _, _ := p.value(r, domainTenant)
	if r.kind() != "p" {
		tenant = p.linkTenant(r)
	}
	roles := p.linked(domain, tenant, name, false)
	var patterns []string // functions that match subjects of p lines
	if domain == domainSubject {
		patterns = p.patternsOf(domain)
	}
	if !groups[name] && len(roles) == 0 {
		return ""
	}
	lines := 0
	for i := range p.rows {
		if p.rows[i].kind() != "p" {
			continue
		}
		if text, _, ok := p.value(&p.rows[i], domain); ok && (text == name || slices.Contains(roles, text) || matchesAny(patterns, text, name)) {
			lines++
		}
	}
	what := "user"
	switch {
	case domain != domainSubject && groups[name]:
		what = "group"
	case domain != domainSubject:
		what = "member"
	case groups[name]:
		what = "role"
	}
	text := fmt.Sprintf("%s %s: %s", strings.ToUpper(what[:1])+what[1:], code(name), printable.Count(lines, "p line"))
	if len(roles) > 0 {
		text += ", by way of " + joinNames(roles)
	}
	if groups[name] && r.kind() != "p" {
		text += ". " + p.describeReach(domain, tenant, name)
	}
	return strings.TrimSuffix(text, ".") + "."
}
