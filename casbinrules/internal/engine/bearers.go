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

// Bearers are the names by which something is allowed, sorted.
type Bearers struct {
	// Users are IDs of principals without roles of credentials, Roles those that
	// credentials bring on their own, without the prefix of roles.
	Users, Roles []string
	// Others says that a principal whom the policy does not know is allowed too.
	Others bool
}

// withDefault are roles of credentials and the default role.
func withDefault(c *model.Settings, roles ...string) *TokenRoles {
	if c.DefaultRole != "" {
		roles = append(roles, c.DefaultRole)
	}
	return &TokenRoles{Prefix: c.RolePrefix, Roles: roles}
}

// Bearers are those of q, which has no subject. The error is that of ctx, of
// Casbin, or says why the policy cannot list them.
func (s *Snapshot) Bearers(ctx context.Context, q *Request, c *model.Settings) (b Bearers, err error) {
	if len(s.Schema.Attributes) > 0 {
		return b, &UnlistableError{errors.New("the model asks for attributes, which a name does not have")}
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

// allows asks the question for one subject.
func (s *Snapshot) allows(ctx context.Context, q *Request, subject string, with *TokenRoles, c *model.Settings) (bool, error) {
	asked := *q
	asked.Subject, asked.Number = subject, s.Names.Known(subject)
	var v Verdict
	err := s.Decide(ctx, &asked, with, c, &v)
	return v.Allowed, err
}

// candidates are the names that a rule allows q, sorted; some of them a further
// rule may deny.
func (x *Index) candidates(q *Request, c *model.Settings) ([]string, error) {
	said := x.said()
	if said.subjects != nil {
		return nil, &UnlistableError{said.subjects}
	}
	found := map[int32]bool{}
	all := len(x.open) > 0
	if g := x.graphs["g"]; g != nil && g.Patterned() {
		if g.NameFunction() != "" {
			return nil, &UnlistableError{errNames}
		}
		all = true
	}
	for i := range x.clauses {
		w := &x.clauses[i]
		var refs []ref
		s := search{index: x, q: q, gathered: &refs}
		s.try(w.paths.always, nil)
		w.paths.visit(q.Object, &s, nil)
		all = all || w.subjects.everyone != nil || w.paths.regexps && w.paths.hasSpecialBytes(q.Object)
		if all || len(refs) > 0 && w.subjects.column < 0 {
			all = true
			break
		}
		tenant := x.Names.Known(q.Tenant)
		everybody := w.subjects.everybodyIn(tenant)
		by := w.bearers()
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
	names := slices.Clone(said.names)
	if role := c.RolePrefix + c.DefaultRole; c.DefaultRole != "" { // by which everybody may be allowed
		all = all || found[x.Names.Known(role)] || slices.Contains(names, role)
	}
	if all {
		names = append(names, x.everyName()...)
	}
	for number := range found {
		names = append(names, x.Names.Text(number))
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// gather keeps the rules that allow the action and the object.
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

// everybodyIn are the numbers of rules that are for everybody in a tenant.
func (x *subjectIndex) everybodyIn(tenant int32) []int32 {
	if !x.keyed {
		tenant = 0
	}
	return x.of(x.everybody[tenant])
}

// everyName are all names that the policy has for subjects.
func (x *Index) everyName() []string {
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
			for _, r := range x.rules {
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

// bearers are the names that stand for the number of a rule's subject, by
// tenant; those in no tenant do so in any.
type bearers struct {
	first []int32
	pairs []policy.Pair
}

func (b *bearers) of(number int32) []policy.Pair {
	if int(number)+1 >= len(b.first) {
		return nil
	}
	return b.pairs[b.first[number]:b.first[number+1]]
}

// bearersOf lists them when somebody asks: eight bytes for each name and role
// that it has.
func bearersOf(x *subjectIndex) func() *bearers {
	return sync.OnceValue(func() *bearers {
		each := func(yield func(number int32, p policy.Pair)) {
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
		}
		most, total := int32(-1), 0
		each(func(number int32, _ policy.Pair) { most, total = max(most, number), total+1 })
		b := &bearers{first: make([]int32, most+2), pairs: make([]policy.Pair, total)}
		each(func(number int32, _ policy.Pair) { b.first[number+1]++ })
		for i := range b.first[1:] {
			b.first[i+1] += b.first[i]
		}
		next := slices.Clone(b.first)
		each(func(number int32, p policy.Pair) {
			b.pairs[next[number]] = p
			next[number]++
		})
		return b
	})
}

// said is what the conditions of an index say besides what its tables have.
type said struct {
	// names are those that subjects are compared with.
	names []string
	// subjects and objects say why these cannot be listed, nil where they can.
	subjects, objects error
	// cuts says that some pattern looks at what stands before the first question
	// mark of an object alone.
	cuts bool
}

var (
	errSubject = errors.New("the matcher compares the subject by a function or with another field, so that not all who match can be named")
	errNames   = errors.New("names in role links are patterns, so that not all who match can be named")
	errAbout   = errors.New("the matcher compares an attribute of the object by a function, with another one, or with the object itself")
	errTenant  = errors.New("the matcher asks for roles in a tenant that is the object, so that not all objects that match can be named")
)

// read looks at all conditions, of which rules share most.
func (x *Index) read() said {
	var s said
	for i := range x.conds {
		s.read(x.conds[i].other)
	}
	for _, c := range x.open {
		s.read(c)
	}
	for i := range x.clauses {
		w := &x.clauses[i]
		s.read(w.subjects.everyone)
		s.cuts = s.cuts || w.paths.cuts
	}
	slices.Sort(s.names)
	s.names = slices.Compact(s.names)
	return s
}

func (s *said) read(c *cond) {
	if c == nil {
		return
	}
	for _, part := range c.parts {
		s.read(part)
	}
	s.cuts = s.cuts || c.function == "keyMatch5"
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
