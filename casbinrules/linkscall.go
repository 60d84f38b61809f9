package casbinrules

import (
	"errors"

	"github.com/casbin/govaluate"
)

// requestLinks is what a rewritten matcher hands to g and to the functions that
// match patterns: the role links that a request adds, and the request itself,
// nil where nobody waits for the answer.
type requestLinks struct {
	grant
	of *question
}

// links is what the credentials add to the role links.
func (q *question) links() *requestLinks {
	return &requestLinks{grant{subject: q.subject, tenant: q.tenant, roles: q.roles}, q}
}

// linksFunction is the matcher function of a graph: with the links of the
// request as first argument for g, without for g2 and its like.
func linksFunction(g *graph) govaluate.ExpressionFunction {
	return func(args ...any) (any, error) {
		with := &grant{}
		if len(args) > 0 {
			if given, ok := args[0].(*requestLinks); ok {
				with, args = &given.grant, args[1:]
			}
		}
		var names [3]string
		if len(args) < 2 || len(args) > len(names) {
			return nil, errors.New("a role definition is called with two names, and a tenant where it has one")
		}
		for i, arg := range args {
			name, ok := arg.(string)
			if !ok {
				return nil, errors.New("a role definition is called with names only")
			}
			names[i] = name
		}
		return g.linked(with, names[2], names[0], names[1]), nil
	}
}
