package engine

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Unmatchable is the subject of a principal whose name grants it nothing. No policy
// can contain it.
const Unmatchable = "\x00"

// Snapshot is one policy, ready to decide. It is immutable.
type Snapshot struct {
	Schema *model.Schema
	Engine engine
	// Index is Engine if that is an index, for calls that need not allocate.
	Index *Index
	// Unindexed says why the model is left to Casbin; nil if it is indexed.
	Unindexed error
	// Rules are the lines of the policy in order, Graphs the role links of each
	// kind.
	Rules  policy.Rules
	Graphs map[string]*policy.Graph
	// limitedLinks reports that some role links do not always count.
	limitedLinks bool
	// Members is the graph of g if that gives roles to users, or nil.
	Members *policy.Graph
	// Names are the numbered texts of the rules.
	Names *policy.Texts
	// spellings are nil if no object has a capital letter.
	spellings    *Spellings
	namedMethods map[string]bool // the methods that rules name
	// KnownRoles is computed on first use.
	KnownRoles func() []string
	// NamesHead reports that some rule names HEAD.
	NamesHead bool
	// Unusual builds the engines for methods that a rule must name.
	Unusual map[string]func() (engine, error)
}

func NewSnapshot(s *model.Schema, rules policy.Rules, graphs map[string]*policy.Graph, c *model.Settings) (*Snapshot, error) {
	e, unindexed, err := New(s, rules, graphs, c)
	if err != nil {
		return nil, fmt.Errorf("casbin: %s", model.FirstLine(err))
	}
	spellings := spellingsOf(s, rules, c.Pace)
	c.Pace.RestIfDue()
	named := policy.NamedMethods(s, rules)
	c.Pace.RestIfDue()
	return snapshotOf(e, unindexed, spellings, named, s, policy.TextsOf(rules), rules, graphs, c), nil
}

func snapshotOf(e engine, unindexed error, spellings *Spellings, named map[string]bool, s *model.Schema, names *policy.Texts, rules policy.Rules, graphs map[string]*policy.Graph, c *model.Settings) *Snapshot {
	x, _ := e.(*Index)
	var members *policy.Graph
	if s.NamesRoles() {
		members = graphs["g"]
	}
	return &Snapshot{
		Schema:       s,
		Engine:       e,
		Index:        x,
		Unindexed:    unindexed,
		Rules:        rules,
		Graphs:       graphs,
		limitedLinks: len(s.Limits) > 0,
		Members:      members,
		Names:        names,
		spellings:    spellings,
		namedMethods: named,
		KnownRoles:   sync.OnceValue(func() []string { return knownRoles(s, rules, c) }),
		NamesHead:    named[http.MethodHead],
		Unusual:      unusualEngines(s, named, rules, graphs, c),
	}
}

// Stamp sets the moment at which the role links of q are evaluated, unless q has
// one, if the answer may depend on it.
func (s *Snapshot) Stamp(ctx context.Context, q *Request, c *model.Settings) {
	if q.Now == (policy.Moment{}) {
		q.Now = s.Now(ctx, c)
	} else {
		q.Now = q.Now.Renewed()
	}
}

// Now returns the moment at which role links are evaluated, or the zero Moment if
// all links always count.
func (s *Snapshot) Now(ctx context.Context, c *model.Settings) policy.Moment {
	if !s.limitedLinks {
		return policy.Moment{}
	}
	return policy.NewMoment(ctx, c)
}

// ManyNames is the number of names from which FindSubject looks ahead: those of
// smaller policies stay in the cache of a processor. Only tests change it.
var ManyNames = 1 << 15

// FindSubject sets the number of the subject of q. In a large policy it first looks up
// the object of a subject that it is likely to find.
func (s *Snapshot) FindSubject(q *Request) {
	if s.Names.Numbers() < ManyNames || s.Index == nil || len(s.Index.clauses) == 0 {
		q.Number = s.Names.Known(q.Subject)
		return
	}
	if hash, ok := s.Names.Probe(0, q.Subject); ok {
		s.Index.lookAhead(q)
		q.Number = s.Names.FindHashed(hash, 0, q.Subject)
	}
}

// knownRoles returns the names that may be roles; see KnownRoles.
func knownRoles(s *model.Schema, rules policy.Rules, c *model.Settings) []string {
	roles, names := map[string]bool{}, map[string]bool{}
	named := s.NamesRoles()
	for _, role := range s.MatcherRoles {
		roles[role] = true
	}
	for _, r := range rules.All() {
		switch {
		case r.IsLink() && named:
			names[r.Fields()[0]] = true
			roles[r.Fields()[1]] = true
		case r.IsPolicy():
			for _, column := range s.Subjects {
				names[r.Fields()[column]] = true
			}
		}
	}
	delete(roles, policy.Anonymous)
	delete(names, policy.Anonymous)
	delete(names, "*")
	maps.DeleteFunc(names, func(name string, _ bool) bool { return roles[name] })
	return append(roleList(roles, c.RolePrefix), roleList(names, c.RolePrefix)...)
}

// roleList returns the names with the prefix, without it, sorted.
func roleList(names map[string]bool, prefix string) []string {
	var roles []string
	for name := range names {
		if role, ok := strings.CutPrefix(name, prefix); ok {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return roles
}

// IsRoleName reports whether a principal's ID, whose number is given, is the name of
// a role, so that its own rules do not apply to the principal.
func (s *Snapshot) IsRoleName(id string, number int32, c *model.Settings) bool {
	switch {
	case c.AsCasbin:
		return false
	case s.Names.IsRole(number):
		return true
	default:
		return (c.DefaultRole != "" || c.RolePrefix != "" || len(s.Schema.MatcherRoles) > 0) && s.isSettingsRole(id, c)
	}
}

// isSettingsRole reports whether the options or the matcher make a name that of a
// role.
func (s *Snapshot) isSettingsRole(id string, c *model.Settings) bool {
	return c.DefaultRole != "" && id == c.RolePrefix+c.DefaultRole || slices.Contains(s.Schema.MatcherRoles, id) || c.RolePrefix != "" && strings.HasPrefix(id, c.RolePrefix)
}

// unusualEngines prepares an engine for each unusual method that the policy names,
// with the rules that name it and those that deny. Most are never needed, so each is
// built at its first request.
func unusualEngines(s *model.Schema, named map[string]bool, rules policy.Rules, graphs map[string]*policy.Graph, c *model.Settings) map[string]func() (engine, error) {
	engines := map[string]func() (engine, error){}
	for method := range named {
		if policy.IsUsual(method) {
			continue
		}
		engines[method] = sync.OnceValues(func() (engine, error) {
			e, _, err := New(s, policy.RulesFor(s, method, rules), graphs, c)
			return e, err
		})
	}
	return engines
}
