package explain

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
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
	Miss Miss            `json:"miss"`
	Rule policy.RuleText `json:"rule"`
	// Text says it in words: "erin has PUT on /reports/:id at policy.csv:12,
	// not PATCH".
	Text string `json:"text"`
}

// miss is a near miss before it is put into words.
type miss struct {
	kind Miss
	rule policy.Rule
	term *term
	// near compares near misses of one kind: the larger, the nearer.
	near int
}

// rankElsewhere is the rank of an object that has nothing in common with the rule's.
const rankElsewhere = 4

// rank orders misses: a completely different object is further away than a missing
// role or tenant.
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

// overridden returns the first rule that would have allowed the request, for the object
// as it was asked for, or nil.
func (x *Explainer) overridden(asked string) *policy.RuleText {
	p, err := NewProbe(x.Snapshot)
	if err != nil {
		return nil
	}
	q := x.Request
	q.Object = asked
	for _, r := range x.candidates().All() {
		if !x.allows(r) {
			continue
		}
		if ok, err := p.Matches(&q, r); ok && err == nil {
			written := r.RuleText()
			return &written
		}
	}
	return nil
}

// candidates returns the rules that may decide about the action.
func (x *Explainer) candidates() policy.Rules {
	s := x.Snapshot
	if x.covered() {
		return s.Rules
	}
	return policy.RulesFor(s.Schema, x.Request.Action, s.Rules)
}

// covered reports whether "*" stands for the action.
func (x *Explainer) covered() bool {
	return x.Settings.AsCasbin || x.Request.NamedAction || policy.IsUsual(x.Request.Action)
}

// allows reports whether the rule is one that can allow.
func (x *Explainer) allows(r policy.Rule) bool {
	s := x.Snapshot.Schema
	return r.IsPolicy() && policy.EffectOf(s, r) == "allow"
}

// nearMisses returns the nearest misses. The error says why they cannot be determined.
func (x *Explainer) nearMisses() ([]NearMiss, error) {
	p, err := NewProbe(x.Snapshot)
	if err != nil {
		return nil, err
	}
	if p.Terms == nil {
		return nil, errNotConjunction
	}
	x.Probe = p
	var found []miss
	for _, r := range x.Snapshot.Rules.All() {
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
	for _, m := range found[:min(x.Misses, len(found))] {
		misses = append(misses, NearMiss{Miss: m.kind, Rule: m.rule.RuleText(), Text: model.Visible(x.say(m))})
	}
	return misses, nil
}

// once removes misses that add nothing: a second rule with the same subject, and a
// completely different object if there is anything nearer.
func (x *Explainer) once(sorted []miss) []miss {
	told := map[string]bool{}
	nearer := len(sorted) > 0 && sorted[0].rank() < rankElsewhere
	return slices.DeleteFunc(sorted, func(m miss) bool {
		if m.kind != MissSubject {
			return nearer && m.rank() == rankElsewhere
		}
		subject := x.Column(m.rule, model.FieldSubject)
		if told[subject] {
			return true
		}
		told[subject] = true
		return false
	})
}

// missed finds the one condition that keeps the rule from allowing.
func (x *Explainer) missed(r policy.Rule) (miss, bool) {
	failed, err := x.Probe.Failing(&x.Request, r)
	if err != nil {
		return miss{}, false
	}
	switch len(failed) {
	case 0:
		// The rule matches but does not apply, since it does not name the method.
		return miss{kind: MissAction, rule: r}, !x.covered()
	case 1:
		m := miss{kind: missOf(failed[0]), rule: r, term: failed[0]}
		switch m.kind {
		case MissAction:
			m.near = akin(x.Request.Action, x.Column(r, model.FieldAction))
		case MissObject, MissSubject:
			m.near = near(x.Request.Object, x.Column(r, model.FieldObject))
		}
		if m.kind != MissTenant {
			return m, true
		}
	}
	// Roles may differ in the rule's tenant.
	return miss{kind: MissTenant, rule: r}, x.missedTenant(r)
}

// missedTenant reports whether the rule would allow in its own tenant.
func (x *Explainer) missedTenant(r policy.Rule) bool {
	tenant := x.Column(r, model.FieldTenant)
	if !x.Snapshot.Schema.Tenants || tenant == "" || tenant == x.Request.Tenant {
		return false
	}
	q := x.Request
	q.Tenant = tenant
	failed, err := x.Probe.Failing(&q, r)
	return err == nil && len(failed) == 0
}

func missOf(t *term) Miss {
	if t.column < 0 {
		return MissCondition
	}
	switch model.RequestField(t.about) {
	case model.FieldAction:
		return MissAction
	case model.FieldObject:
		return MissObject
	case model.FieldSubject:
		return MissSubject
	case model.FieldTenant:
		return MissTenant
	default:
		return MissCondition
	}
}

// Column returns the rule's field that the matcher compares with a request field, or "".
func (x *Explainer) Column(r policy.Rule, field model.RequestField) string {
	for _, t := range x.Probe.Terms {
		if t.about == int(field) && t.column >= 0 {
			return r.Field(t.column)
		}
	}
	return ""
}

// near returns how many leading path segments object and pattern share: all of them
// if they differ only in letter case.
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

// akin returns how near two actions are: PUT and PATCH are nearest, since one of
// them is often forgotten, then two that both change something or both do not (RFC
// 9110 §9.2.1).
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

// say describes a miss in words.
func (x *Explainer) say(m miss) string {
	r := m.rule
	action, object := x.Column(r, model.FieldAction), x.Column(r, model.FieldObject)
	access := shownName(action) + " on " + shownName(object)
	if m.kind == MissCondition || action == "" || object == "" {
		return fmt.Sprintf("%s matches but for the condition %s", r.Place(), x.condition(m))
	}
	holder := x.Column(r, model.FieldSubject)
	role := x.Snapshot.Names.IsRole(x.Snapshot.Names.Known(holder)) && x.Snapshot.Schema.LinksUsers()
	subject, shown := shownName(x.Subject), shownName(holder)
	switch m.kind {
	case MissAction:
		if m.term == nil {
			return fmt.Sprintf("%s has %s at %s, which does not cover %s", subject, access, r.Place(), shownName(x.Request.Action))
		}
		return fmt.Sprintf("%s has %s at %s, not %s", subject, access, r.Place(), shownName(x.Request.Action))
	case MissObject:
		return fmt.Sprintf("%s has %s at %s, not on %s", subject, access, r.Place(), shownName(x.Request.Object))
	case MissTenant:
		if x.Request.Tenant == "" {
			return fmt.Sprintf("%s has %s in tenant %s at %s, and the credentials name no tenant", subject, access, shownName(x.Column(r, model.FieldTenant)), r.Place())
		}
		return fmt.Sprintf("%s has %s in tenant %s at %s, not in %s", subject, access, shownName(x.Column(r, model.FieldTenant)), r.Place(), shownName(x.Request.Tenant))
	}
	switch {
	case holder == x.Subject && holder == policy.Anonymous:
		return fmt.Sprintf("requests without credentials have %s at %s, not a user called %s", access, r.Place(), shown)
	case holder == x.Subject:
		return fmt.Sprintf("the role %s has %s at %s, not a user by that name", shown, access, r.Place())
	case role && holder != policy.Anonymous:
		return fmt.Sprintf("the role %s has %s at %s, which %s does not have", shown, access, r.Place(), subject)
	default:
		return fmt.Sprintf("%s has %s at %s, not %s", shown, access, r.Place(), subject)
	}
}

// condition returns the matcher's condition as written in the model.
func (x *Explainer) condition(m miss) string {
	if m.term == nil {
		return "on the action"
	}
	return m.term.text
}
