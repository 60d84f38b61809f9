package lsp

import (
	"fmt"
	"strings"
)

var sectionMeanings = map[string]string{
	"request_definition":    "The fields of a request, in their order: `sub` is who asks, `dom` the tenant, `obj` the path or the name of what is asked for, `act` the method or the name of the action. Others are attributes.",
	"policy_definition":     "The fields of a p line in the policy, in their order. `eft` is its effect, allow or deny; without it every line allows.",
	"role_definition":       "The kinds of role links. `g = _, _` reads g, USER, ROLE, and `g = _, _, _` ends in a tenant.",
	"policy_effect":         "What decides when several lines match.",
	"matchers":              "The condition that a request and a p line fulfil together for the line to count.",
	"constraint_definition": "What role links may not give together, such as `sod(\"a\", \"b\")`: nobody has both roles.",
}

var functionMeanings = map[string]string{
	"keyMatch":   "`keyMatch(r.obj, p.obj)`: a `*` in the pattern stands for the rest of the text, slashes too.",
	"keyMatch2":  "`keyMatch2(r.obj, p.obj)`: `:name` stands for one segment of a path, and `/*` for all below.",
	"keyMatch3":  "`keyMatch3(r.obj, p.obj)`: `{name}` stands for one segment of a path, and `/*` for all below.",
	"keyMatch4":  "`keyMatch4(r.obj, p.obj)`: as keyMatch3, and the same `{name}` twice stands for the same text.",
	"keyMatch5":  "`keyMatch5(r.obj, p.obj)`: as keyMatch3, and the query of the path is left out.",
	"globMatch":  "`globMatch(r.obj, p.obj)`: a shell pattern, in which `*` stands for one segment.",
	"regexMatch": "`regexMatch(r.act, p.act)`: a regular expression, which also matches inside a longer text unless it is anchored.",
	"ipMatch":    "`ipMatch(r.ip, p.net)`: an address within a network such as 10.0.0.0/8.",
	"keyGet":     "`keyGet(r.obj, p.obj)`: what the `*` of the pattern stands for.",
	"keyGet2":    "`keyGet2(r.obj, p.obj, \"id\")`: what `:id` of the pattern stands for.",
	"keyGet3":    "`keyGet3(r.obj, p.obj, \"id\")`: what `{id}` of the pattern stands for.",
}

func (s *server) hoverModel(q *query, offset int) (string, *token) {
	m := readModelText(q.doc)
	for i := range m.sections {
		if t := &m.sections[i]; t.start <= offset && offset <= t.end {
			return sectionMeanings[t.text], t
		}
	}
	d, t := m.at(offset)
	if d == nil {
		if d = m.keyAt(offset); d != nil {
			return sectionMeanings[d.section], &token{d.key, d.start, d.end, false}
		}
		return "", nil
	}
	if meaning := functionMeanings[t.text]; meaning != "" && !t.quoted {
		return meaning, t
	}
	if d.section == "policy_effect" {
		text := ""
		for _, part := range d.value {
			text += part.text
		}
		return effects[text], t
	}
	if _, isRole := m.roleKinds()[t.text]; isRole && d.section == "matchers" {
		return fmt.Sprintf("`%s(name, role)`: whether the name is the role, or has it by the policy's `%s` lines, or, of the subject, by its credentials.", t.text, t.text), t
	}
	key, name, ok := strings.Cut(t.text, ".")
	if !ok && (d.key == "r" || d.key == "p") {
		key, name, ok = d.key, t.text, true
	}
	if !ok || t.quoted || len(name) == 0 {
		return "", nil
	}
	for i, f := range m.fields(key) {
		switch {
		case f.text != name:
		case key == "p":
			return fmt.Sprintf("Field %d behind the p of a policy line.", i+1), t
		case key == "r":
			return "Field of the request: " + requestMeaning(name) + ".", t
		}
	}
	return "", nil
}

func requestMeaning(name string) string {
	switch usualFields[name] {
	case domainSubject:
		return "the ID of the principal"
	case domainTenant:
		return "the tenant of the principal"
	case domainObject:
		return "the path, or the name of the resource"
	case domainAction:
		return "the method, or the name of the action"
	}
	return "an attribute, which an option or a claim fills"
}

// closedEffects are Casbin's effects that deny by default, spelled exactly as it compares
// them.
var closedEffects = [...]string{
	"some(where (p.eft == allow))", "some(where (p.eft == allow)) && !some(where (p.eft == deny))", "priority(p.eft) || deny", "subjectPriority(p.eft) || deny",
}

// effects describes Casbin's effects, keyed without spaces.
var effects = map[string]string{
	"some(where(p.eft==allow))":                            "One line that allows is enough; a deny is not looked at.",
	"!some(where(p.eft==deny))":                            "Everything is allowed that no line denies.",
	"some(where(p.eft==allow))&&!some(where(p.eft==deny))": "A line has to allow, and none may deny.",
	"priority(p.eft)||deny":                                "The first line that matches decides, by its priority or its place.",
	"subjectPriority(p.eft)||deny":                         "The line of the subject lowest in the tree of roles decides.",
}
