// Package policies makes policies of any size for measurements, and questions
// about them whose answers are known. The same size gives the same policy.
package policies

import (
	"bytes"
	"slices"
)

// Rule is one p line. An empty Effect is that of a model without effects,
// where every rule allows.
type Rule struct{ Subject, Object, Action, Effect string }

// Link is one g line: User, which may be a role too, has Role.
type Link struct{ User, Role string }

// Question asks whether Subject may do Action to Object. Allowed is the right
// answer.
type Question struct {
	Subject, Object, Action string
	Allowed                 bool
}

// Policy is a model with its rules, and what to ask about it.
type Policy struct {
	// Model is the text of a Casbin model, Exact says that it compares whole
	// strings and has neither patterns nor roles.
	Model string
	Exact bool
	Rules []Rule
	Links []Link
	// Allow are questions that a rule allows, Deny questions of subjects who
	// have roles and lack the permission, Unknown those of subjects that the
	// policy does not name.
	Allow, Deny, Unknown []Question
}

// Case is some questions of one kind.
type Case struct {
	Name      string
	Questions []Question
}

// Cases are the three kinds of questions; one without questions is left out.
func (p *Policy) Cases() []Case {
	return slices.DeleteFunc([]Case{{"allow", p.Allow}, {"deny", p.Deny}, {"unknown", p.Unknown}},
		func(c Case) bool { return len(c.Questions) == 0 })
}

// CSV is the policy as Casbin's file format has it.
func (p *Policy) CSV() []byte {
	var b bytes.Buffer
	for _, r := range p.Rules {
		b.WriteString("p, " + r.Subject + ", " + r.Object + ", " + r.Action)
		if r.Effect != "" {
			b.WriteString(", " + r.Effect)
		}
		b.WriteByte('\n')
	}
	for _, l := range p.Links {
		b.WriteString("g, " + l.User + ", " + l.Role + "\n")
	}
	return b.Bytes()
}
