package demo

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// Answer is what every handler answers with.
type Answer struct {
	// Route is the pattern of the matched route, in one spelling for all
	// frameworks: "/reports/:id", "/files/*".
	Route string `json:"route"`
	// Subject is the principal's ID, "" for an anonymous request.
	Subject string `json:"subject"`
	// Scheme is the scheme that proved it, such as "Basic".
	Scheme string `json:"scheme"`
	// Roles are all roles of the principal, sorted; never null.
	Roles []string `json:"roles"`
}

// NewAnswer is the answer of a handler on route, in the spelling of any of the
// frameworks, to p, which is nil for an anonymous request.
func NewAnswer(route string, p *core.Principal) Answer {
	a := Answer{Route: neutral(route), Roles: []string{}}
	if p != nil {
		a.Subject, a.Scheme = p.ID(), p.Scheme()
		a.Roles = slices.AppendSeq(a.Roles, p.Roles())
		slices.Sort(a.Roles)
	}
	return a
}

// neutral writes "GET /reports/{id}" as "/reports/:id", and "/files/*path" and
// "/files/{path...}" as "/files/*".
func neutral(route string) string {
	segments := strings.Split(route[max(strings.IndexByte(route, '/'), 0):], "/")
	for i, s := range segments {
		switch {
		case strings.HasPrefix(s, "*") || strings.HasSuffix(s, "...}"):
			segments[i] = "*"
		case strings.HasPrefix(s, "{"):
			segments[i] = ":" + strings.Trim(s, "{}")
		}
	}
	return strings.Join(segments, "/")
}
