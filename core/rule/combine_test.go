package rule_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

// The outcomes a combination can have, as one word.
func outcome(d core.Decision, err error) string {
	switch {
	case err != nil && d.Allowed:
		return "error beside an allowing decision"
	case errors.Is(err, errDown):
		return "error"
	case err != nil:
		return err.Error()
	case d.Allowed:
		return "allow"
	default:
		return "refuse"
	}
}

// H03: an error is never inverted and never swallowed into an allow, except
// where an earlier rule of Any has allowed already.
func TestTruthTableOfCombinations(t *testing.T) {
	p := principal(t, core.PrincipalInfo{})
	answers := []struct {
		name string
		make func() *fixed
	}{{"allow", allow}, {"refuse", refuse}, {"error", failing}}
	want := map[string][3]string{ // all, any, and not of the first
		"allow allow":   {"allow", "allow", "refuse"},
		"allow refuse":  {"refuse", "allow", "refuse"},
		"allow error":   {"error", "allow", "refuse"},
		"refuse allow":  {"refuse", "allow", "allow"},
		"refuse refuse": {"refuse", "refuse", "allow"},
		"refuse error":  {"refuse", "error", "allow"},
		"error allow":   {"error", "error", "error"},
		"error refuse":  {"error", "error", "error"},
		"error error":   {"error", "error", "error"},
	}
	for _, a := range answers {
		for _, b := range answers {
			key := a.name + " " + b.name
			t.Run(key, func(t *testing.T) {
				for i, r := range []core.Authorizer{
					rule.All(a.make(), b.make()), rule.Any(a.make(), b.make()), rule.Not(a.make()),
				} {
					if got := outcome(r.Authorize(t.Context(), p, core.Access{})); got != want[key][i] {
						t.Errorf("%v: %s, want %s", r, got, want[key][i])
					}
				}
			})
		}
	}
}

func TestCombinationsStopAtTheRuleThatDecides(t *testing.T) {
	p := principal(t, core.PrincipalInfo{})
	for _, tt := range []struct {
		first   *fixed
		combine func(...core.Authorizer) core.Authorizer
		asked   int
	}{
		{allow(), rule.Any, 0}, {refuse(), rule.Any, 1}, {failing(), rule.Any, 0},
		{allow(), rule.All, 1}, {refuse(), rule.All, 0}, {failing(), rule.All, 0},
	} {
		second := allow()
		r := tt.combine(tt.first, second)
		_, _ = r.Authorize(t.Context(), p, core.Access{})
		if second.asked != tt.asked {
			t.Errorf("%v after %+v: second rule asked %d times, want %d", r, tt.first, second.asked, tt.asked)
		}
	}
}

func TestDecisionsOfCombinations(t *testing.T) {
	p := principal(t, core.PrincipalInfo{Roles: []string{"viewer"}})
	upgrade := rule.Public("plan_required", "Your plan does not include this.", rule.Claim("plan", "pro"))
	policy := &fixed{d: core.Decision{Reason: "no_rule_matched"}}
	tests := []struct {
		name string
		rule core.Authorizer
		want core.Decision
	}{
		{"any: the part that allowed is named", rule.Any(rule.Role("admin"), rule.Role("viewer")),
			core.Decision{Allowed: true, Rule: `rule.Role("viewer")`}},
		{"any: a part's own text is kept", rule.Any(rule.Role("admin"), allow()),
			core.Decision{Allowed: true, Rule: "policy.csv:7"}},
		{"any: the first refusal is told", rule.Any(upgrade, rule.Scope("x")),
			core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Any(rule.Claim("plan", "pro"), rule.Scope("x"))`, Code: "plan_required", Message: "Your plan does not include this."}},
		{"any: the first refusal's scopes are told", rule.Any(rule.Scope("x"), upgrade),
			core.Decision{Reason: core.ReasonMissingScope, Rule: `rule.Any(rule.Scope("x"), rule.Claim("plan", "pro"))`, Scopes: []string{"x"}}},
		{"all: the part that refused is named", rule.All(rule.Role("viewer"), rule.Scope("x")),
			core.Decision{Reason: core.ReasonMissingScope, Rule: `rule.Scope("x")`, Scopes: []string{"x"}}},
		{"all: a part without a text of its own", rule.All(rule.Role("viewer"), policy),
			core.Decision{Reason: "no_rule_matched", Rule: `rule.All(rule.Role("viewer"), *rule_test.fixed)`}},
		{"all allowed, one by a line of a policy", rule.All(rule.Role("viewer"), &fixed{d: core.Decision{Allowed: true, Rule: "policy.csv:7"}}),
			core.Decision{Allowed: true, Rule: `rule.All(rule.Role("viewer"), *rule_test.fixed), policy.csv:7`}},
		{"all allowed", rule.All(rule.Role("viewer"), rule.Not(rule.Role("admin"))),
			core.Decision{Allowed: true, Rule: `rule.All(rule.Role("viewer"), rule.Not(rule.Role("admin")))`}},
		{"not: nothing of what it turns round is told", rule.Not(rule.Any(rule.Role("viewer"))),
			core.Decision{Reason: core.ReasonDenied, Rule: `rule.Not(rule.Any(rule.Role("viewer")))`}},
		{"not of the zero decision allows", rule.Not(&fixed{}),
			core.Decision{Allowed: true, Rule: "rule.Not(*rule_test.fixed)"}},
		{"an owner and an account in a text", rule.Not(rule.All(rule.Owner("al\"ice"), rule.Account(
			func(context.Context, *core.Principal) (rule.AccountState, error) { return 0, nil }))),
			core.Decision{Allowed: true, Rule: `rule.Not(rule.All(rule.Owner, rule.Account))`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decide(t, tt.rule, p); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestPublic(t *testing.T) {
	p := principal(t, core.PrincipalInfo{Roles: []string{"viewer"}})
	suspended := rule.Account(func(context.Context, *core.Principal) (rule.AccountState, error) { return rule.AccountSuspended, nil })
	own := decide(t, suspended, p)
	tests := []struct {
		name          string
		rule          core.Authorizer
		allowed       bool
		code, message string
		scopes        []string
	}{
		{"code and message", rule.Public("region_blocked", "Not in your region.", rule.Claim("region", "eu")), false, "region_blocked", "Not in your region.", nil},
		{"a code alone", rule.Public("region_blocked", "", rule.Claim("region", "eu")), false, "region_blocked", "", nil},
		{"a message alone", rule.Public("", "Not in your region.", rule.Claim("region", "eu")), false, "", "Not in your region.", nil},
		{"in place of the rule's own", rule.Public("frozen", "Frozen.", suspended), false, "frozen", "Frozen.", nil},
		{"a code alone keeps the rule's message", rule.Public("frozen", "", suspended), false, "frozen", own.Message, nil},
		{"a message alone keeps the rule's code", rule.Public("", "Frozen.", suspended), false, own.Code, "Frozen.", nil},
		{"I07 a code drops the scopes", rule.Public("write_access", "", rule.Scope("w")), false, "write_access", "", nil},
		{"B10 a message keeps the scopes", rule.Public("", "Ask for w.", rule.Scope("w")), false, "", "Ask for w.", []string{"w"}},
		{"an allowed request is told nothing", rule.Public("x", "y", rule.Role("viewer")), true, "", "", nil},
		{"the outermost wins", rule.Public("outer", "", rule.Public("inner", "Inner.", rule.Role("admin"))), false, "outer", "Inner.", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decide(t, tt.rule, p)
			if d.Allowed != tt.allowed || d.Code != tt.code || d.Message != tt.message || !slices.Equal(d.Scopes, tt.scopes) {
				t.Errorf("%+v", d)
			}
		})
	}
	d := decide(t, rule.Public("x", "y", rule.Role("admin")), p)
	if d.Reason != core.ReasonMissingRole || d.Rule != `rule.Role("admin")` {
		t.Errorf("the operators' side changed: %+v", d)
	}
	if got := outcome(rule.Public("x", "y", failing()).Authorize(t.Context(), p, core.Access{})); got != "error" {
		t.Errorf("an error became %s", got)
	}
	if got := fmt.Sprint(rule.Public("x", "y", rule.Role("admin"))); got != `rule.Role("admin")` {
		t.Errorf("prints as %s", got)
	}
}

// policy is a rule with all the optional parts of the seam.
type policy struct {
	fixed
	anonymous bool
	known     []string
	roles     map[string][]string
	rolesErr  error
	method    string
}

func (p *policy) AuthorizeAnonymous(context.Context, core.Access) (core.Decision, error) {
	return core.Decision{Allowed: p.anonymous}, p.err
}
func (p *policy) KnownRoles() []string { return p.known }
func (p *policy) RolesOf(_ context.Context, who *core.Principal) ([]string, error) {
	return p.roles[who.ID()], p.rolesErr
}
func (p *policy) JudgesMethod(method string) bool { return method == p.method }

// source adds roles and cannot list them.
type source struct{ core.RoleSource }

func (source) Authorize(context.Context, *core.Principal, core.Access) (core.Decision, error) {
	return core.Decision{}, nil
}

func TestRoleNamesAreFoundInsideCombinations(t *testing.T) {
	r := rule.Any(rule.All(rule.Role("a"), rule.Not(rule.Role("b"))), rule.Public("x", "", rule.Role("c")), rule.Scope("s"))
	if got := r.(core.RoleNamer).RoleNames(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("names %q", got)
	}
	if got := rule.Any(rule.Scope("s")).(core.RoleNamer).RoleNames(); len(got) != 0 {
		t.Errorf("names %q out of nowhere", got)
	}
}

func TestRolesOfAPolicyInsideACombination(t *testing.T) {
	alice := principal(t, core.PrincipalInfo{ID: "alice"})
	shared := append(make([]string, 0, 8), "editor")
	one := &policy{known: []string{"editor"}, roles: map[string][]string{"alice": shared}}
	two := &policy{known: []string{"auditor"}, roles: map[string][]string{"alice": {"auditor"}}}
	none := &policy{known: []string{"other"}}
	tests := []struct {
		name         string
		rule         core.Authorizer
		roles, known []string
	}{
		{"no source", rule.Any(rule.Role("x")), nil, nil},
		{"one", rule.Any(rule.Role("x"), one), []string{"editor"}, []string{"editor"}},
		{"two", rule.All(one, two), []string{"editor", "auditor"}, []string{"editor", "auditor"}},
		{"one that adds none", rule.All(none, one), []string{"editor"}, []string{"other", "editor"}},
		{"nested", rule.Not(rule.Any(rule.All(rule.Role("x")), rule.Public("c", "", one), two)), []string{"editor", "auditor"}, []string{"editor", "auditor"}},
		{"one that cannot list", rule.Any(source{one}, two), []string{"editor", "auditor"}, nil},
		{"one that does not know", rule.Any(&policy{roles: one.roles}, two), []string{"editor", "auditor"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			roles, err := tt.rule.(core.RoleSource).RolesOf(t.Context(), alice)
			if err != nil || !slices.Equal(roles, tt.roles) {
				t.Errorf("roles %q, %v", roles, err)
			}
			if known := tt.rule.(core.RoleLister).KnownRoles(); !slices.Equal(known, tt.known) {
				t.Errorf("known %q", known)
			}
		})
	}
	if got := shared[:2][1]; got != "" {
		t.Errorf("a source's shared slice was written: %q", got)
	}
	broken := rule.Any(one, &policy{rolesErr: errDown})
	if roles, err := broken.(core.RoleSource).RolesOf(t.Context(), alice); err != errDown || roles != nil {
		t.Errorf("a failing source gave %q, %v", roles, err)
	}
}

func TestAnonymousRequestsInsideCombinations(t *testing.T) {
	open, closed := &policy{anonymous: true}, &policy{}
	broken := &policy{fixed: fixed{err: errDown}, anonymous: true}
	tests := []struct {
		name string
		rule core.Authorizer
		want string
	}{
		{"all allow", rule.All(open, open), "allow"},
		{"all, one refuses", rule.All(open, closed), "refuse"},
		{"all, one does not judge them", rule.All(open, rule.Role("a")), "refuse"},
		{"all, one fails", rule.All(broken, open), "error"},
		{"any allows", rule.Any(rule.Role("a"), closed, open), "allow"},
		{"any, none allows", rule.Any(rule.Role("a"), closed), "refuse"},
		{"any, one fails", rule.Any(broken, open), "error"},
		{"any, one allows before the failure", rule.Any(open, broken), "allow"},
		{"public passes it on", rule.Public("x", "", open), "allow"},
		{"public of a rule that does not judge them", rule.Public("x", "", rule.Role("a")), "refuse"},
		{"A05 not of a refusal", rule.Not(closed), "refuse"},
		{"A05 not of consent", rule.Not(open), "refuse"},
		{"A05 roles alone", rule.Any(rule.Role("a"), rule.Scope("s")), "refuse"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := outcome(tt.rule.(core.AnonymousAuthorizer).AuthorizeAnonymous(t.Context(), core.Access{})); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// G14: a method outside RFC 9110 passes only where the policy that names it
// has a say.
func TestUnusualMethodsInsideCombinations(t *testing.T) {
	dav := &policy{method: "PROPFIND"}
	tests := []struct {
		name string
		rule core.Authorizer
		want bool
	}{
		{"all, one judges", rule.All(rule.Role("a"), dav), true},
		{"all, none judges", rule.All(rule.Role("a")), false},
		{"any, one does not judge", rule.Any(dav, rule.Role("a")), false},
		{"any, all judge", rule.Any(dav, &policy{method: "PROPFIND"}), true},
		{"public passes it on", rule.Public("x", "", dav), true},
		{"public of a rule that does not", rule.Public("x", "", rule.Role("a")), false},
		{"not", rule.Not(dav), false},
		{"all, one judges behind a wrapper", rule.All(rule.Role("a"), unwrapped{dav}), true},
		{"another method", rule.All(&policy{method: "MKCOL"}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.rule.(core.MethodAuthorizer).JudgesMethod("PROPFIND"); got != tt.want {
				t.Errorf("judges %v, want %v", got, tt.want)
			}
		})
	}
}

// unwrapped is a wrapper that shows what it wraps.
type unwrapped struct{ core.Authorizer }

func (u unwrapped) Unwrap() core.Authorizer { return u.Authorizer }

// hiding is a wrapper that does not.
type hiding struct{ core.Authorizer }

// What a policy adds to a principal counts for a rule beside it, through
// wrappers too; where that cannot be seen no guard is assembled.
func TestRolesOfAWrappedPolicyInsideACombination(t *testing.T) {
	p := &policy{roles: map[string][]string{"carl": {"contractor"}}, known: []string{"contractor"}}
	carl, err := core.NewPrincipal(core.PrincipalInfo{ID: "carl"})
	if err != nil {
		t.Fatal(err)
	}
	for _, combine := range []func(...core.Authorizer) core.Authorizer{rule.All, rule.Any} {
		r := combine(unwrapped{p}, rule.Not(rule.Role("contractor")))
		if roles, err := r.(core.RoleSource).RolesOf(t.Context(), carl); err != nil || !slices.Equal(roles, p.known) {
			t.Errorf("%v: roles %q, %v", r, roles, err)
		}
		if known := r.(core.RoleLister).KnownRoles(); !slices.Equal(known, p.known) {
			t.Errorf("%v: known %q", r, known)
		}
		hidden := combine(hiding{p}, rule.Not(rule.Role("contractor")))
		for _, r := range []core.Authorizer{hidden, rule.Not(hidden), rule.Public("x", "", hidden), rule.Not(hiding{p})} {
			_, err := core.NewGuard([]core.Authenticator{demoAuth{}}, core.WithAuthorizer(r))
			if err == nil || !strings.Contains(err.Error(), "hiding wraps *rule_test.policy, which adds roles") {
				t.Errorf("%v: error %v", r, err)
			}
		}
	}
	if names := rule.Any(hiding{rule.Role("admin")}).(core.RoleNamer).RoleNames(); !slices.Equal(names, []string{"admin"}) {
		t.Errorf("names %q", names)
	}
}
