package engine

import (
	"errors"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// requestLinks is what a rewritten matcher passes to g and to the functions that match
// patterns: the role links that a request adds, and the request itself, nil if nobody
// waits for the answer.
type requestLinks struct {
	policy.Grant
	of *Request
}

// Links returns the role links that the credentials add.
func (q *Request) Links() *requestLinks {
	return &requestLinks{policy.Grant{Subject: q.Subject, Tenant: q.Tenant, Roles: q.Roles, Now: q.Now}, q}
}

// linksFunction is the matcher function of the graph of a kind: with the links of
// the request as first argument for g, and for g2 and its like with its time or
// without any.
func linksFunction(kind string, g *policy.Graph) govaluate.ExpressionFunction {
	return func(args ...any) (any, error) {
		with := &policy.Grant{}
		if len(args) > 0 {
			if given, ok := args[0].(*requestLinks); ok {
				with, args = &given.Grant, args[1:]
				if kind != "g" {
					with = &policy.Grant{Now: given.Now}
				}
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
		return g.Linked(with, names[2], names[0], names[1]), nil
	}
}
