package ask

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// Kind says what a [Subject] is.
type Kind string

// The kinds of subjects.
const (
	// Role is somebody whose credentials bring one role and who is nobody
	// else the policy knows.
	Role Kind = "role"
	// User is somebody the policy knows by name, without roles of a token.
	User Kind = "user"
	// Stranger is somebody signed in whom the policy does not know.
	Stranger Kind = "stranger"
	// Unknown is a request without credentials.
	Unknown Kind = "anonymous"
)

// Subject is somebody that requests are made up for.
type Subject struct {
	Kind Kind
	// Name is that of the role or user, or what to call the others.
	Name   string
	Tenant string
	// id is the ID of the principal, role the role of its credentials.
	id, role string
}

// Label is the name, with the tenant where there is one.
func (s Subject) Label() string {
	if s.Tenant != "" {
		return s.Name + " in " + s.Tenant
	}
	return s.Name
}

// Question is a request of the subject.
func (s Subject) Question(object, action string) Question {
	q := Question{Subject: s.id, Tenant: s.Tenant, Object: object, Action: action}
	if s.role != "" {
		q.Roles = []string{s.role}
	}
	return q
}

// Who says which subjects are wanted of a policy.
type Who struct {
	// Prefix is that of role names, NoTokenRoles says that roles of tokens do
	// not count, and Anonymous that requests without credentials may pass.
	Prefix       string
	NoTokenRoles bool
	Anonymous    bool
	// Users wants those that the policy gives roles, too.
	Users bool
	// Stranger is an ID that no policy has.
	Stranger string
	// Tenants are those wanted; nil for all that the policies name.
	Tenants []string
}

// Subjects are the roles that rules name, in their order, and who else is
// wanted. Where the roles of tokens mean nothing they are the users.
func (w Who) Subjects(rules []casbinrules.Rule, tenants bool) []Subject {
	n := readNames(rules)
	byRole := n.linked && !w.NoTokenRoles
	list := []Subject{{Kind: Stranger, Name: "(no role)", id: w.Stranger}}
	if w.Anonymous && !tenants {
		list = append(list, Subject{Kind: Unknown, Name: Anonymous, id: Anonymous})
	}
	for _, name := range slices.Concat(n.roles, n.subjects) {
		role, isRole := strings.CutPrefix(name, w.Prefix)
		switch {
		case name == "*" || name == Anonymous || role == "":
		case byRole && isRole && !(w.Prefix == "" && slices.Contains(n.users, name) && !slices.Contains(n.roles, name)):
			list = add(list, Subject{Kind: Role, Name: role, id: w.Stranger, role: role})
		default:
			list = add(list, Subject{Kind: User, Name: name, id: name})
		}
	}
	if w.Users || !byRole {
		for _, name := range n.users {
			if !slices.Contains(n.roles, name) && name != Anonymous {
				list = add(list, Subject{Kind: User, Name: name, id: name})
			}
		}
	}
	if !tenants {
		return list
	}
	return w.inTenants(list, n.tenants)
}

func (w Who) inTenants(list []Subject, named []string) []Subject {
	if w.Tenants != nil {
		named = w.Tenants
	}
	var all []Subject
	for _, tenant := range named {
		for _, s := range list {
			s.Tenant = tenant
			all = append(all, s)
		}
	}
	return all
}

func add(list []Subject, s Subject) []Subject {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// policyNames are the names that rules use, each once, in their order.
type policyNames struct {
	// roles are given by g lines, to users, where g is about these; subjects are those of p lines.
	roles, users, subjects, tenants []string
	// linked says that subjects of p lines may be roles.
	linked bool
}

func readNames(rules []casbinrules.Rule) policyNames {
	var n policyNames
	note := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, r := range rules {
		switch {
		case r.Kind == "g" && r.Links == "sub":
			note(&n.users, r.Fields[0])
			note(&n.roles, r.Fields[1])
			if len(r.Fields) > 2 {
				note(&n.tenants, r.Fields[2])
			}
		case r.Kind == "p":
			for _, p := range r.Subjects {
				n.linked = n.linked || p.Function == "g"
				note(&n.subjects, p.Text)
			}
			for _, p := range r.Tenants {
				note(&n.tenants, p.Text)
			}
		}
	}
	return n
}

// Tenants are the tenants that rules name, each once, in their order.
func Tenants(rules []casbinrules.Rule) []string { return readNames(rules).tenants }
