// Package ask puts the questions of a command line to a policy.
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

// Anonymous is the subject of requests without credentials. A principal of that
// name gets nothing by it, so no other meaning is lost.
const Anonymous = "anonymous"

// Question is one request. Its subject is the ID of a principal, or
// [Anonymous].
type Question struct {
	Subject string
	// Roles are those the credentials bring.
	Roles          []string
	Tenant         string
	Object, Action string
	// Attributes are the values of further fields that the model asks for.
	Attributes map[string]any
	// Default is the role of everybody who is signed in, "" for none. It is asked
	// alone, before the subject: what it allows is allowed, and what it denies is
	// taken from nobody.
	Default string
}

// nobody is the ID that a role is asked alone with.
const nobody = "\U0001f6aa"

// alone is q for its default role alone.
func (q Question) alone() (Question, bool) {
	if q.Default == "" || q.Subject == Anonymous || q.Subject == "" {
		return q, false
	}
	q.Subject, q.Roles, q.Default = nobody, []string{q.Default}, ""
	return q, true
}

// AttributeNames are the names of the attributes, sorted.
func (q Question) AttributeNames() []string { return slices.Sorted(maps.Keys(q.Attributes)) }

// Decide answers q as a gate would.
func Decide(ctx context.Context, a *casbinrules.Authorizer, q Question) (core.Decision, error) {
	if alone, ok := q.alone(); ok {
		if d, err := Decide(ctx, a, alone); err != nil || d.Allowed {
			return d, err
		}
	}
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

// Principal is whom q is asked by, nil for a request without credentials.
func (q Question) Principal() (*core.Principal, error) {
	switch q.Subject {
	case Anonymous:
		return nil, nil
	case "":
		return nil, errors.New("the subject is empty: that of a request without credentials is anonymous")
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: q.Subject, Roles: q.Roles, Tenant: q.Tenant, Claims: q.Attributes})
}

// DecideReadable is [Decide], with an error where the value of an attribute does
// not read as its type: nothing was compared, so that a denial would say too much.
func DecideReadable(ctx context.Context, a *casbinrules.Authorizer, q Question) (core.Decision, error) {
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

// Explain says why q has its answer.
func Explain(ctx context.Context, a *casbinrules.Authorizer, q Question) (casbinrules.Explanation, error) {
	if alone, ok := q.alone(); ok {
		return explainBoth(ctx, a, alone, q)
	}
	query := casbinrules.Query{
		Subject: q.Subject, Roles: q.Roles, Tenant: q.Tenant, Claims: q.Attributes,
		Object: q.Object, Action: q.Action, Named: Named(q.Action),
	}
	if q.Subject == Anonymous {
		query.Subject, query.Roles, query.Tenant = "", nil, ""
	}
	return a.ExplainQuery(ctx, query)
}

// explainBoth is [Explain] for a question with a default role, which alone asks.
func explainBoth(ctx context.Context, a *casbinrules.Authorizer, alone, q Question) (casbinrules.Explanation, error) {
	q.Default = ""
	own, err := Explain(ctx, a, q)
	if err != nil {
		return own, err
	}
	byRole, err := Explain(ctx, a, alone)
	switch {
	case err != nil:
		return byRole, err
	case byRole.Allowed:
		byRole.Subject = own.Subject
		return byRole, nil
	case !own.Allowed:
		own.Notes = append(own.Notes, fmt.Sprintf("the role of everybody, %q, does not allow it when it is asked alone", alone.Roles[0]))
	}
	return own, nil
}

// Named reports whether an action is a name that the application gives it, as
// with core.WithAction, and no request method: it holds a lower-case letter.
func Named(action string) bool { return strings.ContainsFunc(action, unicode.IsLower) }

// namedAction is a request whose method is not the action asked about, which is
// all that the policy looks at.
type namedAction struct{ core.Request }

func (namedAction) Method() string { return "" }
