// Package ask asks a policy the questions of a command line.
package ask

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

// Anonymous is the subject of requests without credentials. It cannot be a user's name as
// well, since a principal with that name gets nothing by it.
const Anonymous = "anonymous"

// Question is one request. Its subject is the ID of a principal, or
// [Anonymous].
type Question struct {
	Subject string
	// Roles are the roles that the credentials carry.
	Roles          []string
	Tenant         string
	Object, Action string
	// Attributes are the values of other fields that the model uses.
	Attributes map[string]any
}

// AttributeNames returns the names of the attributes, sorted.
func (q Question) AttributeNames() []string { return slices.Sorted(maps.Keys(q.Attributes)) }

// Decide answers q as a gate would.
func Decide(ctx context.Context, a *Policy, q Question) (core.Decision, error) {
	access := core.Access{Action: q.Action, Resource: core.Resource{Name: q.Object}}
	if Named(q.Action) {
		access.Request = namedAction{}
	}
	p, err := q.Principal()
	if err != nil {
		return core.Decision{}, err
	}
	if p == nil {
		return a.AuthorizeAnonymous(ctx, access)
	}
	return a.Authorize(ctx, p, access)
}

// Principal returns the principal of the request, nil for a request without credentials.
func (q Question) Principal() (*core.Principal, error) {
	switch q.Subject {
	case Anonymous:
		return nil, nil
	case "":
		return nil, errors.New("the subject is empty: that of a request without credentials is anonymous")
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: q.Subject, Roles: q.Roles, Tenant: q.Tenant, Claims: q.Attributes})
}

// DecideReadable is [Decide], with an error if the value of an attribute cannot be parsed
// as its type: nothing was compared then, so a denial would be misleading.
func DecideReadable(ctx context.Context, a *Policy, q Question) (core.Decision, error) {
	d, err := Decide(ctx, a, q)
	if err != nil || d.Reason != casbinrules.ReasonBadAttribute {
		return d, err
	}
	e, err := Explain(ctx, a, q)
	if err == nil {
		err = errors.New(e.Why)
	}
	return core.Decision{}, err
}

// Explain explains the answer to q.
func Explain(ctx context.Context, a *Policy, q Question) (casbinrules.Explanation, error) {
	own, err := explain(ctx, a.Authorizer, q)
	if err != nil || a.Alone == "" || q.Subject == Anonymous || q.Subject == "" {
		return own, err
	}
	q.Subject, q.Roles = aloneID, []string{a.Alone}
	alone, err := explain(ctx, a.Authorizer, q)
	switch {
	case err != nil:
		return alone, err
	case alone.Allowed:
		alone.Subject = own.Subject
		return alone, nil
	case !own.Allowed:
		own.Notes = append(own.Notes, fmt.Sprintf("the role of everybody, %q, does not allow it when it is asked alone", a.Alone))
	}
	return own, nil
}

func explain(ctx context.Context, a *casbinrules.Authorizer, q Question) (casbinrules.Explanation, error) {
	query := casbinrules.Query{
		Subject: q.Subject, Roles: q.Roles, Tenant: q.Tenant, Claims: q.Attributes,
		Object: q.Object, Action: q.Action, Named: Named(q.Action),
	}
	if q.Subject == Anonymous {
		query.Subject, query.Roles, query.Tenant = "", nil, ""
	}
	return a.ExplainQuery(ctx, query)
}

// Named reports whether an action is a name chosen by the application, as with
// core.WithAction, rather than a request method: it contains a lower-case letter.
func Named(action string) bool { return strings.ContainsFunc(action, unicode.IsLower) }

// namedAction is a request with a named action. It has no method, so the policy can only
// use the action.
type namedAction struct{ core.Request }

func (namedAction) Method() string { return "" }
