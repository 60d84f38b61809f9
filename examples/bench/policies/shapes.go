package policies

import (
	"fmt"
	"math/rand/v2"
)

// Shape is a policy that is unlike most, to find out where an index stops
// being fast.
type Shape struct {
	Name string
	// About says what grows with the size.
	About string
	Make  func(n int) *Policy
}

// Shapes are all of them.
func Shapes() []Shape {
	return []Shape{
		{"one-role", "all rules belong to one role", oneRole},
		{"many-roles", "the subject has 1,000 roles, or all there are", manyRoles},
		{"one-prefix", "50 patterns of the role share their first segments", onePrefix},
		{"stars", "all patterns begin with /*, ten a role", stars},
		{"stars-one-role", "all patterns begin with /* and belong to one role", starsOneRole},
		{"deny-override", "a tenth of the rules denies, a deny wins", denyOverride},
		{"many-subjects", "as many users as rules, each asked at random", manySubjects},
	}
}

func oneRole(n int) *Policy {
	p := Mix(n)
	for i := range p.Rules {
		p.Rules[i].Subject = role(0)
	}
	p.Links = []Link{{user(0), role(0)}}
	for k := range p.Allow {
		p.Allow[k].Subject, p.Deny[k].Subject = user(0), user(0)
	}
	return p
}

func manyRoles(n int) *Policy {
	p := Mix(n)
	const who = "collector"
	roles := max(1, n/rulesPerRole)
	held := min(1000, roles)
	for r := range held {
		p.Links = append(p.Links, Link{who, role(r * (roles / held))})
	}
	p.Allow, p.Deny, p.Unknown = nil, nil, nil
	for k := range asked {
		i := min(n-1, (spread(k, held)*(roles/held))*rulesPerRole+1)
		_, path := mixPath(i)
		action := mixAction(i)
		if action == "*" {
			action = "PATCH"
		}
		p.Allow = append(p.Allow, Question{who, path, action, true})
		p.Deny = append(p.Deny, Question{who, "/none" + path, "PUT", false})
	}
	return p
}

func onePrefix(n int) *Policy {
	p := Mix(n)
	const patterns = 50
	for i := range patterns {
		p.Rules = append(p.Rules, Rule{Subject: "sharer", Object: fmt.Sprintf("/shared/:a/part/:b/x%d/*", i), Action: "GET"})
	}
	p.Links = append(p.Links, Link{"sharing", "sharer"})
	p.Allow, p.Deny, p.Unknown = nil, nil, nil
	for k := range asked {
		p.Allow = append(p.Allow, Question{"sharing", fmt.Sprintf("/shared/1/part/2/x%d/3", k%patterns), "GET", true})
		p.Deny = append(p.Deny, Question{"sharing", fmt.Sprintf("/shared/1/part/2/y%d/3", k), "GET", false})
	}
	return p
}

func stars(n int) *Policy { return starred(n, func(i int) int { return i / rulesPerRole }) }

func starsOneRole(n int) *Policy { return starred(n, func(int) int { return 0 }) }

// starred are patterns of which nothing can be told by their beginning. They
// go to roles as holder says.
func starred(n int, holder func(i int) int) *Policy {
	p := &Policy{Model: rbacModel}
	for i := range n {
		p.Rules = append(p.Rules, Rule{Subject: role(holder(i)), Object: fmt.Sprintf("/*/name%d", i), Action: "GET"})
	}
	for r := 0; r <= holder(n-1); r++ {
		p.Links = append(p.Links, Link{user(r), role(r)})
	}
	for k := range asked {
		i := spread(k, n)
		p.Allow = append(p.Allow, Question{user(holder(i)), fmt.Sprintf("/any/where/name%d", i), "GET", true})
		p.Deny = append(p.Deny, Question{user(holder(i)), fmt.Sprintf("/any/where/none%d", i), "GET", false})
	}
	return p
}

// denyOverride has rules that deny for a tenth; questions about those are among
// the denials.
func denyOverride(n int) *Policy {
	p := Mix(n)
	p.Model = denyModel
	for i := range p.Rules {
		p.Rules[i].Effect = "allow"
		if i%10 == 9 {
			p.Rules[i].Effect = "deny"
		}
	}
	var allow []Question
	for k, q := range p.Allow {
		if spread(k, n)%10 == 9 {
			q.Allowed = false
			p.Deny = append(p.Deny, q)
		} else {
			allow = append(allow, q)
		}
	}
	p.Allow = allow
	return p
}

// manySubjects asks n users in random order, so that nothing about the subject
// is in a processor's cache, at sizes that are larger than it.
func manySubjects(n int) *Policy {
	p := Mix(n)
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	p.Allow, p.Deny, p.Unknown = nil, nil, nil
	roles := (n + rulesPerRole - 1) / rulesPerRole
	for range min(n, 1_000_000) {
		u := rnd.IntN(max(1, n-roles/2))
		i := u % roles * rulesPerRole
		_, path := mixPath(i)
		action := mixAction(i)
		if action == "*" {
			action = "PATCH"
		}
		p.Allow = append(p.Allow, Question{user(u), path, action, true})
	}
	return p
}
