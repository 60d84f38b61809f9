package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Grantees are the names that are allowed something, sorted.
type Grantees struct {
	// Users are IDs of principals whose credentials carry no roles; Roles are roles
	// that suffice when credentials carry them, without the role prefix.
	Users, Roles []string
	// Others reports that a principal unknown to the policy is allowed, too.
	Others bool
}

// withDefault returns roles of credentials with the default role added.
func withDefault(c *model.Settings, roles ...string) *TokenRoles {
	if c.DefaultRole != "" {
		roles = append(roles, c.DefaultRole)
	}
	return &TokenRoles{Prefix: c.RolePrefix, Roles: roles}
}

// Grantees returns who is allowed q, which has no subject. The error is that of ctx
// or of Casbin, or an *UnlistableError.
func (s *Snapshot) Grantees(ctx context.Context, q *Request, c *model.Settings) (b Grantees, err error) {
	if len(s.Schema.Attributes) > 0 {
		return b, &UnlistableError{errors.New("the model uses attributes of the request, which a name alone does not have")}
	}
	s.Stamp(ctx, q, c)
	x, err := s.indexFor(q, c)
	if x == nil {
		return b, err
	}
	names, err := x.candidates(q, c)
	if err != nil {
		return b, err
	}
	for _, name := range names {
		if name == policy.Anonymous {
			continue
		}
		if !s.IsRoleName(name, s.Names.Known(name), c) {
			ok, err := s.allows(ctx, q, name, withDefault(c), c)
			if err != nil {
				return b, err
			}
			if ok {
				b.Users = append(b.Users, name)
			}
		}
		role, ok := strings.CutPrefix(name, c.RolePrefix)
		if !ok || role == "" || c.NoTokenRoles {
			continue
		}
		if ok, err = s.allows(ctx, q, Unmatchable, withDefault(c, role), c); err != nil {
			return b, err
		} else if ok {
			b.Roles = append(b.Roles, role)
		}
	}
	b.Others, err = s.allows(ctx, q, Unmatchable, withDefault(c), c)
	return b, err
}

// allows decides q for one subject.
func (s *Snapshot) allows(ctx context.Context, q *Request, subject string, with *TokenRoles, c *model.Settings) (bool, error) {
	asked := *q
	asked.Subject, asked.Number = subject, s.Names.Known(subject)
	var v Verdict
	err := s.Decide(ctx, &asked, with, c, &v)
	return v.Allowed, err
}

// candidates returns the names to which a rule allows q, sorted. A deny rule may
// still refuse some of them.
func (x *Index) candidates(q *Request, c *model.Settings) ([]string, error) {
	limits := x.listLimits()
	if limits.subjects != nil {
		return nil, &UnlistableError{limits.subjects}
	}
	found := map[int32]bool{}
	all := len(x.open) > 0
	if g := x.graphs["g"]; g != nil && g.Patterned() {
		if g.NameFunction() != "" {
			return nil, &UnlistableError{errLinkPatterns}
		}
		all = true
	}
	for i := range x.clauses {
		w := &x.clauses[i]
		var refs []ref
		s := search{index: x, q: q, gathered: &refs}
		s.scan(w.paths.always, nil)
		w.paths.visit(q.Object, &s, nil)
		all = all || w.subjects.everyone != nil || w.paths.regexps && w.paths.hasSpecialBytes(q.Object)
		if all || len(refs) > 0 && w.subjects.column < 0 {
			all = true
			break
		}
		tenant := x.Names.Known(q.Tenant)
		everybody := w.subjects.everybodyIn(tenant)
		by := w.namesBySubject()
		for _, r := range refs {
			if _, ok := slices.BinarySearch(everybody, r.subject); ok {
				all = true
				break
			}
			for _, p := range by.of(r.subject) {
				if p.Tenant == 0 || p.Tenant == tenant {
					found[p.Name] = true
				}
			}
		}
	}
	names := slices.Clone(limits.names)
	if role := c.RolePrefix + c.DefaultRole; c.DefaultRole != "" { // it may allow everybody
		all = all || found[x.Names.Known(role)] || slices.Contains(names, role)
	}
	if all {
		names = append(names, x.allNames()...)
	}
	for number := range found {
		names = append(names, x.Names.Text(number))
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// gather collects the rules that allow the action on the object.
func (s *search) gather(refs []ref) {
	for i := range refs {
		r := &refs[i]
		c := &s.index.conds[r.cond]
		if r.deny() || r.cond != 0 && c.other == nil && c.action != s.q.Action {
			continue
		}
		if r.match == 0 || s.index.matches[r.match](s.q.Object) {
			*s.gathered = append(*s.gathered, *r)
		}
	}
}

// everybodyIn returns the subject numbers of rules that apply to everybody in a
// tenant.
func (x *subjectIndex) everybodyIn(tenant int32) []int32 {
	if !x.keyed {
		tenant = 0
	}
	return x.of(x.everybody[tenant])
}

// allNames returns every name that the policy uses for a subject.
func (x *Index) allNames() []string {
	seen := map[int32]bool{}
	var names []string
	add := func(number int32) {
		if number != 0 && !seen[number] {
			seen[number] = true
			names = append(names, x.Names.Text(number))
		}
	}
	for i := range x.clauses {
		w := &x.clauses[i]
		if w.subjects.column >= 0 {
			for _, r := range x.rules.All() {
				add(r.Number(w.subjects.column))
			}
		}
	}
	for _, g := range x.graphs {
		for name := range g.Texts() {
			add(x.Names.Known(name))
		}
	}
	return names
}

// newNamesBySubject lists the names that a subject number applies to, with their
// tenants, when first asked. A name without a tenant counts in every tenant. It takes
// eight bytes for each pair of a name and a subject that it stands for.
func newNamesBySubject(x *subjectIndex) func() *lists[policy.Pair] {
	return sync.OnceValue(func() *lists[policy.Pair] {
		return newLists(func(yield func(int32, policy.Pair) bool) {
			for name := range x.byName {
				for _, number := range x.all(&x.byName[name]) {
					yield(number, policy.Pair{Name: int32(name)})
				}
			}
			for p, at := range x.byPair {
				for _, number := range x.all(&x.reaches[at]) {
					yield(number, p)
				}
			}
		})
	})
}

// listLimits are the limits that the conditions of an index put on listing objects
// and subjects.
type listLimits struct {
	// names are the names that conditions compare the subject with.
	names []string
	// subjects and objects say why these cannot be listed; nil if they can.
	subjects, objects error
	// cutsQuery reports that some pattern ignores the first question mark of an object
	// and what follows it.
	cutsQuery bool
}

var (
	errSubject         = errors.New("the matcher passes the subject to a function or compares it with another field, so the matching subjects cannot be enumerated")
	errLinkPatterns    = errors.New("names in role links are patterns, so the matching subjects cannot be enumerated")
	errObjectAttribute = errors.New("the matcher passes an attribute of the object to a function, or compares it with another attribute or with the object itself")
	errTenant          = errors.New("the matcher uses the object as the tenant of a role, so the matching objects cannot be enumerated")
)

// computeListLimits visits each condition once; most rules share theirs.
func (x *Index) computeListLimits() listLimits {
	var s listLimits
	for i := range x.conds {
		s.add(x.conds[i].other)
	}
	for _, c := range x.open {
		s.add(c)
	}
	for i := range x.clauses {
		w := &x.clauses[i]
		s.add(w.subjects.everyone)
		s.cutsQuery = s.cutsQuery || w.paths.cuts
	}
	slices.Sort(s.names)
	s.names = slices.Compact(s.names)
	return s
}

func (s *listLimits) add(c *cond) {
	if c == nil {
		return
	}
	for _, part := range c.parts {
		s.add(part)
	}
	s.cutsQuery = s.cutsQuery || c.function == "keyMatch5"
	if c.graph != nil && isObject(&c.tenant) {
		s.objects = errTenant
	}
	left, right := isSubject(&c.left), isSubject(&c.right)
	switch {
	case c.graph != nil && isSubject(&c.tenant):
		s.subjects = errSubject
	case !left && !right:
	case c.kind == model.ExprEqual && left && c.right.Kind == model.OperandText:
		s.names = append(s.names, c.right.Text)
	case c.kind == model.ExprEqual && right && c.left.Kind == model.OperandText:
		s.names = append(s.names, c.left.Text)
	case c.graph != nil && left && c.right.Kind == model.OperandText:
		s.names = append(s.names, c.right.Text)
	default:
		s.subjects = errSubject
	}
}

func isSubject(o *model.Operand) bool {
	return o.Kind == model.OperandRequest && o.Field == model.FieldSubject
}
