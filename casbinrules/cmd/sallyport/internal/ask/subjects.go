package ask

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
)

// Kind is the kind of a [Subject].
type Kind string

// The kinds of subjects.
const (
	// Role is someone whose credentials carry one role, and whose ID the policy does not
	// know.
	Role Kind = "role"
	// User is someone that the policy knows by ID, without roles in the credentials.
	User Kind = "user"
	// Stranger is someone signed in whose ID the policy does not know.
	Stranger Kind = "stranger"
	// Unknown is a request without credentials.
	Unknown Kind = "anonymous"
	// Pair is someone with a role in addition to another role, or to an ID that the policy
	// knows.
	Pair Kind = "pair"
)

// Subject is someone that requests are generated for.
type Subject struct {
	Kind Kind
	// Name is the name of the role or user, or a description.
	Name   string
	Tenant string
	// Attributes are the values of the subject's attributes; nil for none.
	Attributes *Assignment
	// id is the ID of the principal. role and second are the roles of its credentials.
	id, role, second string
}

// Roles returns the roles that the credentials carry.
func (s Subject) Roles() []string {
	var roles []string
	for _, role := range []string{s.role, s.second} {
		if role != "" {
			roles = append(roles, role)
		}
	}
	return roles
}

// With returns the subject with the role of another one added to its own.
func (s Subject) With(role Subject) Subject {
	if s.role == "" {
		s.role = role.role
	} else {
		s.second = role.role
	}
	s.Kind, s.Name = Pair, s.Name+" + "+role.Name
	return s
}

// Label returns the name with the tenant and the attributes, if any.
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

// IsNamed reports whether the subject is a user with the name of a role in the policy.
func (s Subject) IsNamed(role Subject, prefix string) bool {
	return s.Kind == User && role.Kind == Role && s.id == prefix+role.role
}

// IsPlus reports whether the subject is user with an additional role.
func (s Subject) IsPlus(user Subject) bool { return s.id == user.id && s.Kind == Pair }

// Question returns a request by the subject.
func (s Subject) Question(object, action string) Question {
	return Question{Subject: s.id, Roles: s.Roles(), Tenant: s.Tenant, Object: object, Action: action, Attributes: s.Attributes.Map()}
}

// Who selects the subjects of a policy.
type Who struct {
	// Prefix is the prefix of role names. NoTokenRoles reports that roles in tokens are
	// ignored, and Anonymous that requests without credentials may be allowed.
	Prefix       string
	NoTokenRoles bool
	Anonymous    bool
	// Everybody reports that everyone signed in has a role.
	Everybody bool
	// Users includes the users that the policy assigns roles to. Apart includes each name
	// both as a role and as a user, because the matcher may distinguish them.
	Users, Apart bool
	// Stranger is an ID that occurs in no policy.
	Stranger string
	// Tenants are the tenants to include; nil for all that the policies name.
	Tenants []string
	// Named are the roles that the matcher names, in the policy's spelling.
	Named []string
	// IDs are additional users.
	IDs []string
	// Assignments are the attribute values to combine with each subject.
	Assignments []*Assignment
}

// Subjects returns the roles that rules name, in order, and the other subjects selected. If
// roles in tokens are ignored, the names stand for users.
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
			list = distinct.Add(list, Subject{Kind: Role, Name: role, id: w.Stranger, role: role})
		}
		if w.Apart || !isRole {
			list = distinct.Add(list, Subject{Kind: User, Name: name, id: name})
		}
	}
	for _, name := range w.Named {
		if role, isRole := strings.CutPrefix(name, w.Prefix); isRole && role != "" && !w.NoTokenRoles {
			list = distinct.Add(list, Subject{Kind: Role, Name: role, id: w.Stranger, role: role})
		}
		if w.Apart && name != "" && name != Anonymous {
			list = distinct.Add(list, Subject{Kind: User, Name: name, id: name})
		}
	}
	if w.Users || !byRole {
		for _, name := range n.users {
			if !slices.Contains(n.roles, name) && name != Anonymous {
				list = distinct.Add(list, Subject{Kind: User, Name: name, id: name})
				if role, isRole := strings.CutPrefix(name, w.Prefix); w.Apart && byRole && isRole && role != "" {
					list = distinct.Add(list, Subject{Kind: Role, Name: role, id: w.Stranger, role: role})
				}
			}
		}
	}
	for _, id := range w.IDs {
		if id != "" && id != Anonymous && id != w.Stranger {
			list = distinct.Add(list, Subject{Kind: User, Name: id, id: id})
		}
	}
	if tenants {
		list = w.inTenants(list, n.tenants)
	}
	return w.Spread(list)
}

// MatcherRoles returns the roles that matchers name, as in g(r.sub, "admin").
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

// Spread returns each subject with each of w.Assignments.
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

// policyNames are the distinct names that rules use, in order of appearance.
type policyNames struct {
	// roles are the names that g lines assign to users, if g is about subjects.
	roles, users, tenants []string
	// named are the subjects of p lines and the roles.
	named []string
	// linked reports that subjects of p lines may be roles.
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

// Tenants returns the distinct tenants that rules name, in order of appearance.
func Tenants(rules []casbinrules.Rule) []string { return readNames(rules).tenants }
