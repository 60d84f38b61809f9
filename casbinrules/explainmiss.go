package casbinrules

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Miss says which condition of a near miss does not hold.
type Miss string

// The misses.
const (
	MissAction    Miss = "action"
	MissObject    Miss = "object"
	MissSubject   Miss = "subject"
	MissTenant    Miss = "tenant"
	MissCondition Miss = "condition"
)

// NearMiss is a rule that would have allowed a request but for one condition.
type NearMiss struct {
	Miss Miss     `json:"miss"`
	Rule RuleText `json:"rule"`
	// Text says it in words: "erin has PUT on /reports/:id at policy.csv:12,
	// not PATCH".
	Text string `json:"text"`
}

// miss is a near miss before it is put into words.
type miss struct {
	kind Miss
	rule *rule
	term *term
	// near tells how near misses of one kind are: the larger the nearer.
	near int
}

// rankElsewhere is the rank of an object that has nothing in common with the
// rule's.
const rankElsewhere = 4

// rank orders misses: an object somewhere else altogether is further away than
// a role or a tenant.
func (m miss) rank() int {
	switch {
	case m.kind == MissAction:
		return 0
	case m.kind == MissObject && m.near > 0:
		return 1
	case m.kind == MissSubject:
		return 2
	case m.kind == MissTenant:
		return 3
	case m.kind == MissObject:
		return rankElsewhere
	default:
		return 5
	}
}

// overridden is the first rule that would have allowed, or nil.
func (x *explainer) overridden() *RuleText {
	p, err := newProbe(x.snapshot)
	if err != nil {
		return nil
	}
	for _, r := range x.candidates() {
		if !x.allows(r) {
			continue
		}
		if ok, err := p.matches(&x.question, r); ok && err == nil {
			written := r.written()
			return &written
		}
	}
	return nil
}

// candidates are the rules that may decide about the action.
func (x *explainer) candidates() []*rule {
	s := x.snapshot
	if x.covered() {
		return s.rules
	}
	return s.schema.rulesFor(x.question.action, s.rules)
}

// covered reports whether "*" stands for the action.
func (x *explainer) covered() bool {
	return x.config.asCasbin || x.question.named || isUsual(x.question.action)
}

// allows reports whether the rule is one that can allow.
func (x *explainer) allows(r *rule) bool {
	s := x.snapshot.schema
	return r.isPolicy() && s.effectOf(r) == "allow"
}

// nearMisses are the nearest misses. The error says why there are none to be
// had.
func (x *explainer) nearMisses() ([]NearMiss, error) {
	p, err := newProbe(x.snapshot)
	if err != nil {
		return nil, err
	}
	if p.terms == nil {
		return nil, errNotConjunction
	}
	x.probe = p
	var found []miss
	for _, r := range x.snapshot.rules {
		if !x.allows(r) {
			continue
		}
		if m, ok := x.missed(r); ok {
			found = append(found, m)
		}
	}
	slices.SortStableFunc(found, func(a, b miss) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.near, a.near))
	})
	found = x.once(found)
	var misses []NearMiss
	for _, m := range found[:min(x.misses, len(found))] {
		misses = append(misses, NearMiss{Miss: m.kind, Rule: m.rule.written(), Text: visible(x.say(m))})
	}
	return misses, nil
}

// once leaves out what says nothing new: a second rule of the same subject, and
// an object somewhere else where there is anything nearer.
func (x *explainer) once(sorted []miss) []miss {
	told := map[string]bool{}
	nearer := len(sorted) > 0 && sorted[0].rank() < rankElsewhere
	return slices.DeleteFunc(sorted, func(m miss) bool {
		if m.kind != MissSubject {
			return nearer && m.rank() == rankElsewhere
		}
		subject := x.column(m.rule, fieldSubject)
		if told[subject] {
			return true
		}
		told[subject] = true
		return false
	})
}

// missed finds the one condition that keeps the rule from allowing.
func (x *explainer) missed(r *rule) (miss, bool) {
	failed, err := x.probe.failing(&x.question, r)
	if err != nil {
		return miss{}, false
	}
	switch len(failed) {
	case 0:
		// The rule matches and does not count: it does not name the method.
		return miss{kind: MissAction, rule: r}, !x.covered()
	case 1:
		m := miss{kind: missOf(failed[0]), rule: r, term: failed[0]}
		switch m.kind {
		case MissAction:
			m.near = akin(x.question.action, x.column(r, fieldAction))
		case MissObject, MissSubject:
			m.near = near(x.question.object, x.column(r, fieldObject))
		}
		if m.kind != MissTenant {
			return m, true
		}
	}
	// Roles may be others in the rule's tenant.
	return miss{kind: MissTenant, rule: r}, x.missedTenant(r)
}

// missedTenant reports whether the rule would allow in its own tenant.
func (x *explainer) missedTenant(r *rule) bool {
	tenant := x.column(r, fieldTenant)
	if !x.snapshot.schema.tenants || tenant == "" || tenant == x.question.tenant {
		return false
	}
	q := x.question
	q.tenant = tenant
	failed, err := x.probe.failing(&q, r)
	return err == nil && len(failed) == 0
}

func missOf(t *term) Miss {
	if t.column < 0 {
		return MissCondition
	}
	switch requestField(t.about) {
	case fieldAction:
		return MissAction
	case fieldObject:
		return MissObject
	case fieldSubject:
		return MissSubject
	case fieldTenant:
		return MissTenant
	default:
		return MissCondition
	}
}

// column is the rule's field that the matcher compares with a request field,
// or "".
func (x *explainer) column(r *rule, field requestField) string {
	for _, t := range x.probe.terms {
		if t.about == int(field) && t.column >= 0 {
			return r.field(t.column)
		}
	}
	return ""
}

// near is how many leading path segments object and pattern share. Where only
// letter case sets them apart they share all.
func near(object, pattern string) int {
	if strings.EqualFold(object, pattern) {
		return strings.Count(object, "/") + 1
	}
	a, b := strings.Split(strings.Trim(object, "/"), "/"), strings.Split(strings.Trim(pattern, "/"), "/")
	n := 0
	for n < len(a) && n < len(b) && b[n] != "" && (a[n] == b[n] || n > 0 && strings.ContainsRune(":{*", rune(b[n][0]))) {
		n++
	}
	return n
}

// akin is how near an action is to another one: PUT and PATCH are nearest, since
// one of them is what is forgotten most, then those that both change something
// or both do not (RFC 9110 §9.2.1).
func akin(a, b string) int {
	safe := func(method string) bool {
		return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
	}
	replaces := func(method string) bool { return method == http.MethodPut || method == http.MethodPatch }
	switch {
	case replaces(a) && replaces(b):
		return 2
	case safe(a) == safe(b):
		return 1
	}
	return 0
}

// say puts a miss into words.
func (x *explainer) say(m miss) string {
	r := m.rule
	access := x.column(r, fieldAction) + " on " + x.column(r, fieldObject)
	if m.kind == MissCondition || access == " on " {
		return fmt.Sprintf("%s matches but for the condition %s", r.place(), x.condition(m))
	}
	holder := x.column(r, fieldSubject)
	role := x.snapshot.names.isRole(x.snapshot.names.known(holder)) && x.snapshot.schema.linksUsers()
	switch m.kind {
	case MissAction:
		if m.term == nil {
			return fmt.Sprintf("%s has %s at %s, which does not cover %s", x.subject, access, r.place(), x.question.action)
		}
		return fmt.Sprintf("%s has %s at %s, not %s", x.subject, access, r.place(), x.question.action)
	case MissObject:
		return fmt.Sprintf("%s has %s at %s, not on %s", x.subject, access, r.place(), x.question.object)
	case MissTenant:
		if x.question.tenant == "" {
			return fmt.Sprintf("%s has %s in tenant %s at %s, and the credentials name no tenant", x.subject, access, x.column(r, fieldTenant), r.place())
		}
		return fmt.Sprintf("%s has %s in tenant %s at %s, not in %s", x.subject, access, x.column(r, fieldTenant), r.place(), x.question.tenant)
	}
	switch {
	case holder == x.subject && holder == anonymous:
		return fmt.Sprintf("requests without credentials have %s at %s, not a user called %s", access, r.place(), holder)
	case holder == x.subject:
		return fmt.Sprintf("the role %s has %s at %s, not a user by that name", holder, access, r.place())
	case role && holder != anonymous:
		return fmt.Sprintf("the role %s has %s at %s, which %s does not have", holder, access, r.place(), x.subject)
	default:
		return fmt.Sprintf("%s has %s at %s, not %s", holder, access, r.place(), x.subject)
	}
}

// condition is the matcher's condition as the model spells it.
func (x *explainer) condition(m miss) string {
	if m.term == nil {
		return "on the action"
	}
	return spelt(m.term.text)
}
