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

// Unmatchable is the subject of a principal that gets nothing by its name. No
// policy can name it.
const Unmatchable = "\x00"

// Snapshot is one policy, ready to decide. It is immutable.
type Snapshot struct {
	Schema *model.Schema
	Engine engine
	// Index is the engine, when it is one, for calls that need not allocate.
	Index *Index
	// Unindexed says why the model is left to Casbin; nil when it is not.
	Unindexed error
	// Rules are the lines of the policy in their order, graphs the role links
	// of each kind.
	Rules  []*policy.Rule
	Graphs map[string]*policy.Graph
	// limited says that role links need not count always.
	limited bool
	// Members is the graph of g where it gives roles to users, or nil.
	Members *policy.Graph
	// Names are among the texts of the rules.
	Names *policy.Texts
	// spellings are those with capitals, or nil.
	spellings *Spellings
	named     map[string]bool // the methods that rules name
	// KnownRoles are worked out when somebody asks for them.
	KnownRoles func() []string
	// NamesHead says that some rule names HEAD.
	NamesHead bool
	// Unusual gives the engines for methods that a rule must name.
	Unusual map[string]func() (engine, error)
}

func NewSnapshot(s *model.Schema, rules []*policy.Rule, graphs map[string]*policy.Graph, c *model.Settings) (*Snapshot, error) {
	e, unindexed, err := New(s, rules, graphs, c)
	if err != nil {
		return nil, fmt.Errorf("casbin: %s", model.FirstLine(err))
	}
	return snapshotOf(e, unindexed, spellingsOf(s, rules), policy.NamedMethods(s, rules), s, rules, graphs, c), nil
}

func snapshotOf(e engine, unindexed error, spellings *Spellings, named map[string]bool, s *model.Schema, rules []*policy.Rule, graphs map[string]*policy.Graph, c *model.Settings) *Snapshot {
	x, _ := e.(*Index)
	var members *policy.Graph
	if s.NamesRoles() {
		members = graphs["g"]
	}
	return &Snapshot{
		Schema:     s,
		Engine:     e,
		Index:      x,
		Unindexed:  unindexed,
		Rules:      rules,
		Graphs:     graphs,
		limited:    len(s.Limits) > 0,
		Members:    members,
		Names:      policy.TextsOf(rules),
		spellings:  spellings,
		named:      named,
		KnownRoles: sync.OnceValue(func() []string { return knownRoles(s, rules, c) }),
		NamesHead:  named[http.MethodHead],
		Unusual:    unusualEngines(s, named, rules, graphs, c),
	}
}

// Stamp notes by what the role links of a question are judged, if its answer may
// depend on that: by the moment that it has, or now.
func (s *Snapshot) Stamp(ctx context.Context, q *Request, c *model.Settings) {
	if q.Now == (policy.Moment{}) {
		q.Now = s.Now(ctx, c)
	} else {
		q.Now = q.Now.Again()
	}
}

// Now is the moment by which role links are judged, an empty one where all count at
// any time.
func (s *Snapshot) Now(ctx context.Context, c *model.Settings) policy.Moment {
	if !s.limited {
		return policy.Moment{}
	}
	return policy.NewMoment(ctx, c)
}

// LookAhead looks up the object of a question, which may be done before its subject is
// known.
func (s *Snapshot) LookAhead(q *Request) {
	if s.Index != nil && len(s.Index.clauses) > 0 {
		s.Index.lookAhead(q)
	}
}

// knownRoles are the names that may be roles; see KnownRoles.
func knownRoles(s *model.Schema, rules []*policy.Rule, c *model.Settings) []string {
	given, other := map[string]bool{}, map[string]bool{}
	named := s.NamesRoles()
	for _, role := range s.MatcherRoles {
		given[role] = true
	}
	for _, r := range rules {
		switch {
		case r.IsLink() && named:
			other[r.Fields()[0]] = true
			given[r.Fields()[1]] = true
		case r.IsPolicy():
			for _, column := range s.Subjects {
				other[r.Fields()[column]] = true
			}
		}
	}
	delete(given, policy.Anonymous)
	delete(other, policy.Anonymous)
	delete(other, "*")
	maps.DeleteFunc(other, func(name string, _ bool) bool { return given[name] })
	return append(roleList(given, c.RolePrefix), roleList(other, c.RolePrefix)...)
}

// roleList is the names with the prefix, without it, sorted.
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

// IsRoleName reports whether a principal's ID, of that number, is no name of
// its own.
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

// isSettingsRole reports whether a name is that of a role by what the policy does not
// say.
func (s *Snapshot) isSettingsRole(id string, c *model.Settings) bool {
	return c.DefaultRole != "" && id == c.RolePrefix+c.DefaultRole || slices.Contains(s.Schema.MatcherRoles, id) || c.RolePrefix != "" && strings.HasPrefix(id, c.RolePrefix)
}

// unusualEngines prepares an engine for each unusual method the policy names:
// with the rules that name it and those that deny. Most are never needed, so
// each is built at its first request.
func unusualEngines(s *model.Schema, named map[string]bool, rules []*policy.Rule, graphs map[string]*policy.Graph, c *model.Settings) map[string]func() (engine, error) {
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
