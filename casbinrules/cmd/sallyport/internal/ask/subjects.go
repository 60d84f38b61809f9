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
	// Pair is somebody with a role beside another role, or beside being a user
	// whom the policy knows.
	Pair Kind = "pair"
)

// Subject is somebody that requests are made up for.
type Subject struct {
	Kind Kind
	// Name is that of the role or user, or what to call the others.
	Name   string
	Tenant string
	// Attributes are the values of its attributes, nil for none.
	Attributes *Assignment
	// id is the ID of the principal, role and second the roles of its
	// credentials.
	id, role, second string
}

// Roles are those that the credentials bring.
func (s Subject) Roles() []string {
	var roles []string
	for _, role := range []string{s.role, s.second} {
		if role != "" {
			roles = append(roles, role)
		}
	}
	return roles
}

// With is the subject with the role of another one beside its own.
func (s Subject) With(role Subject) Subject {
	if s.role == "" {
		s.role = role.role
	} else {
		s.second = role.role
	}
	s.Kind, s.Name = Pair, s.Name+" + "+role.Name
	return s
}

// Label is the name, with the tenant and the attributes where there are any.
func (s Subject) Label() string {
	label := s.Name
	if s.Tenant != "" {
		label += " in " + s.Tenant
	}
	if attributes := s.Attributes.String(); attributes != "" {
		label += " " + attributes
	}
	return label
}

// IsNamed reports whether the subject is a user who is called like a role of the
// policy.
func (s Subject) IsNamed(role Subject, prefix string) bool {
	return s.Kind == User && role.Kind == Role && s.id == prefix+role.role
}

// IsPlus reports whether the subject is user with a role beside it.
func (s Subject) IsPlus(user Subject) bool { return s.id == user.id && s.Kind == Pair }

// Question is a request of the subject.
func (s Subject) Question(object, action string) Question {
	return Question{Subject: s.id, Roles: s.Roles(), Tenant: s.Tenant, Object: object, Action: action, Attributes: s.Attributes.Map()}
}

// Who says which subjects are wanted of a policy.
type Who struct {
	// Prefix is that of role names, NoTokenRoles says that roles of tokens do
	// not count, and Anonymous that requests without credentials may pass.
	Prefix       string
	NoTokenRoles bool
	Anonymous    bool
	// Everybody says that everybody who is signed in has a role.
	Everybody bool
	// Users wants those that the policy gives roles, too, and Apart each name both as
	// a role and as a user, since the matcher may tell one from the other.
	Users, Apart bool
	// Stranger is an ID that no policy has.
	Stranger string
	// Tenants are those wanted; nil for all that the policies name.
	Tenants []string
	// Named are roles that the matcher names, as the policy spells them.
	Named []string
	// IDs are further users.
	IDs []string
	// Assignments are the attributes that each subject is wanted with.
	Assignments []*Assignment
}

// Subjects are the roles that rules name, in their order, and who else is
// wanted. Where the roles of tokens mean nothing they are the users.
func (w Who) Subjects(rules []casbinrules.Rule, tenants bool) []Subject {
	n := readNames(rules)
	byRole := n.linked && !w.NoTokenRoles
	list := []Subject{{Kind: Stranger, Name: "(no role)", id: w.Stranger}}
	if w.Everybody {
		list[0].Name = "(no other role)"
	}
	if w.Anonymous && !tenants {
		list = append(list, Subject{Kind: Unknown, Name: Anonymous, id: Anonymous})
	}
	for _, name := range n.named {
		role, isRole := strings.CutPrefix(name, w.Prefix)
		if name == "*" || name == Anonymous || role == "" {
			continue
		}
		user := w.Prefix == "" && slices.Contains(n.users, name) && !slices.Contains(n.roles, name)
		if isRole = isRole && byRole && (w.Apart || !user); isRole {
			list = add(list, Subject{Kind: Role, Name: role, id: w.Stranger, role: role})
		}
		if w.Apart || !isRole {
			list = add(list, Subject{Kind: User, Name: name, id: name})
		}
	}
	for _, name := range w.Named {
		if role, isRole := strings.CutPrefix(name, w.Prefix); isRole && role != "" && !w.NoTokenRoles {
			list = add(list, Subject{Kind: Role, Name: role, id: w.Stranger, role: role})
		}
		if w.Apart && name != "" && name != Anonymous {
			list = add(list, Subject{Kind: User, Name: name, id: name})
		}
	}
	if w.Users || !byRole {
		for _, name := range n.users {
			if !slices.Contains(n.roles, name) && name != Anonymous {
				list = add(list, Subject{Kind: User, Name: name, id: name})
				if role, isRole := strings.CutPrefix(name, w.Prefix); w.Apart && byRole && isRole && role != "" {
					list = add(list, Subject{Kind: Role, Name: role, id: w.Stranger, role: role})
				}
			}
		}
	}
	for _, id := range w.IDs {
		if id != "" && id != Anonymous && id != w.Stranger {
			list = add(list, Subject{Kind: User, Name: id, id: id})
		}
	}
	if tenants {
		list = w.inTenants(list, n.tenants)
	}
	return w.Spread(list)
}

// MatcherRoles are the roles that matchers name, as in g(r.sub, "admin").
func MatcherRoles(matchers ...casbinrules.Matcher) []string {
	var roles []string
	for _, m := range matchers {
		for _, c := range m.Comparisons {
			if c.Field == "sub" && c.Function == "g" && c.Column < 0 && !slices.Contains(roles, c.Text) {
				roles = append(roles, c.Text)
			}
		}
	}
	return roles
}

// Spread is each subject with each of the assignments wanted.
func (w Who) Spread(list []Subject) []Subject {
	if w.Assignments == nil {
		return list
	}
	var all []Subject
	for _, s := range list {
		for _, a := range w.Assignments {
			s.Attributes = a
			all = append(all, s)
		}
	}
	return all
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
	// roles are given by g lines, to users, where g is about these.
	roles, users, tenants []string
	// named are those of p lines and the roles.
	named []string
	// linked says that subjects of p lines may be roles.
	linked bool
}

func readNames(rules []casbinrules.Rule) policyNames {
	var n policyNames
	type noted struct {
		list *[]string
		name string
	}
	seen := map[noted]bool{}
	note := func(list *[]string, name string) {
		if !seen[noted{list, name}] {
			seen[noted{list, name}] = true
			*list = append(*list, name)
		}
	}
	for _, r := range rules {
		if r.Kind != "p" && r.Links != "sub" {
			continue
		}
		for _, p := range r.Tenants {
			note(&n.tenants, p.Text)
		}
		switch r.Kind {
		case "g":
			note(&n.users, r.Fields[0])
			note(&n.roles, r.Fields[1])
			note(&n.named, r.Fields[1])
		case "p":
			for _, p := range r.Subjects {
				n.linked = n.linked || p.Function == "g"
				note(&n.named, p.Text)
			}
		}
	}
	return n
}

// Tenants are the tenants that rules name, each once, in their order.
func Tenants(rules []casbinrules.Rule) []string { return readNames(rules).tenants }
