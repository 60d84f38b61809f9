package engine

import (
	"errors"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// requestLinks is what a rewritten matcher passes to g and to pattern functions: the
// role links that a request adds, and the request itself, or nil if no request is
// being decided.
type requestLinks struct {
	policy.Grant
	request *Request
}

// Links returns the role links that the credentials add.
func (q *Request) Links() *requestLinks {
	return &requestLinks{policy.Grant{Subject: q.Subject, Tenant: q.Tenant, Roles: q.Roles, Now: q.Now}, q}
}

// linksFunction returns the matcher function of a graph. Its first argument may be a
// *requestLinks: g adds its links, and the other kinds use only its time.
func linksFunction(kind string, g *policy.Graph) govaluate.ExpressionFunction {
	return func(args ...any) (any, error) {
		with := &policy.Grant{}
		if len(args) > 0 {
			if links, ok := args[0].(*requestLinks); ok {
				with, args = &links.Grant, args[1:]
				if kind != "g" {
					with = &policy.Grant{Now: links.Now}
				}
			}
		}
		var names [3]string
		if len(args) < 2 || len(args) > len(names) {
			return nil, errors.New("a role definition takes two names, and a tenant if it has one")
		}
		for i, arg := range args {
			name, ok := arg.(string)
			if !ok {
				return nil, errors.New("the arguments of a role definition must be texts")
			}
			names[i] = name
		}
		return g.Linked(with, names[2], names[0], names[1]), nil
	}
}
