package policies

import "fmt"

// asked is how many questions of a kind there are, spread over the policy, so
// that no engine is measured on one lucky path.
const asked = 64

// rulesPerRole and a user for most rules are what Casbin's own benchmarks have.
const rulesPerRole = 10

// Mix is n rules with roles and path patterns (keyMatch2), and n role links.
// Ten rules make a role, patterns are of four kinds, and every other role has
// another one, so that its users reach rules through two links.
func Mix(n int) *Policy {
	p := &Policy{Model: rbacModel}
	for i := range n {
		pattern, _ := mixPath(i)
		p.Rules = append(p.Rules, Rule{Subject: role(i / rulesPerRole), Object: pattern, Action: mixAction(i)})
	}
	roles := (n + rulesPerRole - 1) / rulesPerRole
	p.linkUsers(n, roles)
	p.ask(n)
	return p
}

// linkUsers makes n links: each odd role has the even one before it, and the
// others give users a role each, in turn.
func (p *Policy) linkUsers(n, roles int) {
	for r := 1; r < roles; r += 2 {
		p.Links = append(p.Links, Link{role(r), role(r - 1)})
	}
	for u := 0; len(p.Links) < n; u++ {
		p.Links = append(p.Links, Link{user(u), role(u % roles)})
	}
}

// ask makes questions about rules all over a policy of n rules.
func (p *Policy) ask(n int) {
	for k := range asked {
		i := spread(k, n)
		_, path := mixPath(i)
		action := mixAction(i)
		if action == "*" {
			action = "PATCH"
		}
		who := user(i / rulesPerRole)
		p.Allow = append(p.Allow, Question{who, path, action, true})
		p.Deny = append(p.Deny, Question{who, "/none" + path, "PUT", false})
		p.Unknown = append(p.Unknown, Question{fmt.Sprintf("stranger%d", k), path, action, false})
	}
}

// mixPath is the pattern of a rule, and a path that it matches and no other
// rule does.
func mixPath(i int) (pattern, path string) {
	switch i % 4 {
	case 0:
		return fmt.Sprintf("/a%d/:id/b%d", i%1000, i), fmt.Sprintf("/a%d/77/b%d", i%1000, i)
	case 1:
		return fmt.Sprintf("/things%d/:id", i), fmt.Sprintf("/things%d/4711", i)
	case 2:
		return fmt.Sprintf("/a%d/files%d/*", i%1000, i), fmt.Sprintf("/a%d/files%d/2026/report", i%1000, i)
	default:
		return fmt.Sprintf("/exact%d", i), fmt.Sprintf("/exact%d", i)
	}
}

// mixAction is the method of a rule.
func mixAction(i int) string { return []string{"GET", "POST", "DELETE", "*"}[i/4%4] }

// Exact is n rules that compare subject, object and action as they are.
func Exact(n int) *Policy {
	p := &Policy{Model: exactModel, Exact: true}
	for i := range n {
		p.Rules = append(p.Rules, Rule{Subject: user(i / rulesPerRole), Object: object(i), Action: "GET"})
	}
	for k := range asked {
		i := spread(k, n)
		who := user(i / rulesPerRole)
		p.Allow = append(p.Allow, Question{who, object(i), "GET", true})
		p.Deny = append(p.Deny, Question{who, object(i), "PUT", false})
		p.Unknown = append(p.Unknown, Question{fmt.Sprintf("stranger%d", k), object(i), "GET", false})
	}
	return p
}

// spread is the number of a rule for question k: all over the policy, in no
// order that a processor would guess.
func spread(k, n int) int { return (k*7919 + n/3) % n }

func role(i int) string   { return fmt.Sprintf("role%d", i) }
func user(i int) string   { return fmt.Sprintf("user%d", i) }
func object(i int) string { return fmt.Sprintf("/data%d", i) }

// Holder is the user who is asked for rule i of [Mix].
func Holder(i int) string { return user(i / rulesPerRole) }
