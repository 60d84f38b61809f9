package casbinrules

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// anonymous is the subject of requests without credentials.
const anonymous = "anonymous"

// nobody is the subject of a principal that gets nothing by its name. No
// policy can name it.
const nobody = "\x00"

// snapshot is one policy, ready to decide. It is immutable.
type snapshot struct {
	schema *schema
	engine engine
	// index is the engine, when it is one, for calls that need not allocate.
	index *index
	// unindexed says why the model is left to Casbin; nil when it is not.
	unindexed error
	// rules are the lines of the policy in their order, graphs the role links
	// of each kind.
	rules  []*rule
	graphs map[string]*graph
	// members is the graph of g where it gives roles to users, or nil.
	members *graph
	// names are among the texts of the rules.
	names *texts
	// spellings are those with capitals, or nil.
	spellings *spellings
	// knownRoles are worked out when somebody asks for them.
	knownRoles func() []string
	// namesHead says that some rule names HEAD.
	namesHead bool
	// unusual gives the engines for methods that a rule must name.
	unusual map[string]func() (engine, error)
}

func newSnapshot(s *schema, rules []*rule, graphs map[string]*graph, c *settings) (*snapshot, error) {
	e, unindexed, err := newEngine(s, rules, graphs, c)
	if err != nil {
		return nil, fmt.Errorf("casbin: %s", firstLine(err))
	}
	x, _ := e.(*index)
	var members *graph
	if s.namesRoles() {
		members = graphs["g"]
	}
	return &snapshot{
		schema:     s,
		engine:     e,
		index:      x,
		unindexed:  unindexed,
		rules:      rules,
		graphs:     graphs,
		members:    members,
		names:      textsOf(rules),
		spellings:  spellingsOf(s, rules),
		knownRoles: sync.OnceValue(func() []string { return knownRoles(s, rules, c) }),
		namesHead:  namedMethods(s, rules)[http.MethodHead],
		unusual:    unusualEngines(s, rules, graphs, c),
	}, nil
}

// knownRoles are the names that may be roles; see KnownRoles.
func knownRoles(s *schema, rules []*rule, c *settings) []string {
	given, other := map[string]bool{}, map[string]bool{}
	named := s.namesRoles()
	for _, role := range s.matcherRoles {
		given[role] = true
	}
	for _, r := range rules {
		switch {
		case r.isLink() && named:
			other[r.fields()[0]] = true
			given[r.fields()[1]] = true
		case r.isPolicy():
			for _, column := range s.subjects {
				other[r.fields()[column]] = true
			}
		}
	}
	delete(given, anonymous)
	delete(other, anonymous)
	delete(other, "*")
	maps.DeleteFunc(other, func(name string, _ bool) bool { return given[name] })
	return append(roleList(given, c.rolePrefix), roleList(other, c.rolePrefix)...)
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

// isRoleName reports whether a principal's ID, of that number, is no name of
// its own.
func (s *snapshot) isRoleName(id string, number int32, c *settings) bool {
	if c.asCasbin {
		return false
	}
	return s.names.isRole(number) || slices.Contains(s.schema.matcherRoles, id) || c.rolePrefix != "" && strings.HasPrefix(id, c.rolePrefix)
}

// unusualEngines prepares an engine for each unusual method the policy names:
// with the rules that name it and those that deny. Most are never needed, so
// each is built at its first request.
func unusualEngines(s *schema, rules []*rule, graphs map[string]*graph, c *settings) map[string]func() (engine, error) {
	engines := map[string]func() (engine, error){}
	known := map[int32]map[string]bool{}
	for _, r := range rules {
		for method := range s.methodSet(r, known) {
			if isUsual(method) || engines[method] != nil {
				continue
			}
			engines[method] = sync.OnceValues(func() (engine, error) {
				e, _, err := newEngine(s, s.rulesFor(method, rules), graphs, c)
				return e, err
			})
		}
	}
	return engines
}
