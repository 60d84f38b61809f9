package rule_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

var errDown = errors.New("store is down")

// fixed is an authorizer with one answer, that counts how often it was asked.
type fixed struct {
	d     core.Decision
	err   error
	asked int
}

func (f *fixed) Authorize(context.Context, *core.Principal, core.Access) (core.Decision, error) {
	f.asked++
	return f.d, f.err
}

func allow() *fixed   { return &fixed{d: core.Decision{Allowed: true, Rule: "policy.csv:7"}} }
func refuse() *fixed  { return &fixed{d: core.Decision{Reason: "no_rule_matched"}} }
func failing() *fixed { return &fixed{d: core.Decision{Allowed: true}, err: errDown} }

func principal(t testing.TB, info core.PrincipalInfo) *core.Principal {
	t.Helper()
	if info.ID == "" {
		info.ID = "alice"
	}
	p, err := core.NewPrincipal(info)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func decide(t testing.TB, r core.Authorizer, p *core.Principal) core.Decision {
	t.Helper()
	d, err := r.Authorize(t.Context(), p, core.Access{})
	if err != nil {
		t.Fatalf("%v: %v", r, err)
	}
	return d
}

func TestRules(t *testing.T) {
	p := principal(t, core.PrincipalInfo{
		ID:     "alice",
		Roles:  []string{"viewer", "editor"},
		Scopes: []string{"reports:read", "readonly"},
		Claims: map[string]any{
			"plan":    "pro",
			"groups":  []any{"eu", 7.0, nil},
			"regions": []string{"us", "eu"},
			"level":   3.0,
			"admin":   true,
			"words":   "eu us",
			"object":  map[string]any{"eu": "eu"},
		},
	})
	tests := []struct {
		name string
		rule core.Authorizer
		want core.Decision
	}{
		{"a role it has", rule.Role("editor"), core.Decision{Allowed: true, Rule: `rule.Role("editor")`}},
		{"any of several roles", rule.Role("admin", "viewer"), core.Decision{Allowed: true, Rule: `rule.Role("admin", "viewer")`}},
		{"B11 a role it lacks asks for no scope", rule.Role("admin"), core.Decision{Reason: core.ReasonMissingRole, Rule: `rule.Role("admin")`}},
		{"roles are compared in letter case", rule.Role("Editor"), core.Decision{Reason: core.ReasonMissingRole, Rule: `rule.Role("Editor")`}},

		{"a scope it has", rule.Scope("reports:read"), core.Decision{Allowed: true, Rule: `rule.Scope("reports:read")`}},
		{"B12 scopes in any order", rule.Scope("readonly", "reports:read"), core.Decision{Allowed: true, Rule: `rule.Scope("readonly", "reports:read")`}},
		{"B10 a scope it lacks names all that are needed", rule.Scope("reports:read", "reports:write"), core.Decision{
			Reason: core.ReasonMissingScope, Rule: `rule.Scope("reports:read", "reports:write")`, Scopes: []string{"reports:read", "reports:write"},
		}},
		{"B12 read is not readonly", rule.Scope("read"), core.Decision{Reason: core.ReasonMissingScope, Rule: `rule.Scope("read")`, Scopes: []string{"read"}}},
		{"B12 scopes are compared in letter case", rule.Scope("Readonly"), core.Decision{Reason: core.ReasonMissingScope, Rule: `rule.Scope("Readonly")`, Scopes: []string{"Readonly"}}},

		{"a claim with the value", rule.Claim("plan", "team", "pro"), core.Decision{Allowed: true, Rule: `rule.Claim("plan", "team", "pro")`}},
		{"an array claim with the value", rule.Claim("groups", "eu"), core.Decision{Allowed: true, Rule: `rule.Claim("groups", "eu")`}},
		{"a strings claim with the value", rule.Claim("regions", "eu"), core.Decision{Allowed: true, Rule: `rule.Claim("regions", "eu")`}},
		{"a claim with another value", rule.Claim("plan", "Pro"), core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Claim("plan", "Pro")`}},
		{"an array claim without the value", rule.Claim("groups", "7"), core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Claim("groups", "7")`}},
		{"a strings claim without the value", rule.Claim("regions", "asia"), core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Claim("regions", "asia")`}},
		{"no such claim", rule.Claim("Plan", "pro"), core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Claim("Plan", "pro")`}},
		{"a number claim", rule.Claim("level", "3"), core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Claim("level", "3")`}},
		{"a boolean claim", rule.Claim("admin", "true"), core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Claim("admin", "true")`}},
		{"a string claim is not split", rule.Claim("words", "eu"), core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Claim("words", "eu")`}},
		{"an object claim", rule.Claim("object", "eu"), core.Decision{Reason: core.ReasonMissingEntitlement, Rule: `rule.Claim("object", "eu")`}},

		{"the owner", rule.Owner("alice"), core.Decision{Allowed: true, Rule: `rule.Owner`}},
		{"another owner", rule.Owner("Alice"), core.Decision{Reason: core.ReasonDenied, Rule: `rule.Owner`}},
		{"no owner matches nobody", rule.Owner(""), core.Decision{Reason: core.ReasonDenied, Rule: `rule.Owner`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decide(t, tt.rule, p); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestNoOwnerDoesNotMatchAPrincipalWithoutAnID(t *testing.T) {
	if d := decide(t, rule.Owner(""), &core.Principal{}); d.Allowed {
		t.Errorf("%+v", d)
	}
}

func TestARoleRuleNamesItsRoles(t *testing.T) {
	r := rule.Role("admin", "editor").(core.RoleNamer)
	r.RoleNames()[0] = "overwritten"
	if got := r.RoleNames(); !reflect.DeepEqual(got, []string{"admin", "editor"}) {
		t.Errorf("names %q", got)
	}
}

// The rule must not change when its caller's slice or its decision does.
func TestRulesKeepTheirArguments(t *testing.T) {
	p := principal(t, core.PrincipalInfo{Roles: []string{"viewer"}})
	roles, scopes := []string{"admin"}, []string{"reports:write"}
	role, scope := rule.Role(roles...), rule.Scope(scopes...)
	roles[0], scopes[0] = "viewer", "other"
	if decide(t, role, p).Allowed {
		t.Error("the role changed with the caller's slice")
	}
	decide(t, scope, p).Scopes[0] = "written"
	if got := decide(t, scope, p).Scopes; got[0] != "reports:write" {
		t.Errorf("scopes %q", got)
	}
}

func TestFunc(t *testing.T) {
	p := principal(t, core.PrincipalInfo{ID: "alice"})
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "here")
	access := core.Access{Action: "PUT"}
	for _, want := range []bool{true, false} {
		r := rule.Func("weekday", func(c context.Context, q *core.Principal, a core.Access) (bool, error) {
			if c.Value(key{}) != "here" || q != p || a != access {
				t.Errorf("asked with %v, %v, %v", c, q, a)
			}
			return want, nil
		})
		d, err := r.Authorize(ctx, p, access)
		if err != nil || d.Allowed != want || d.Rule != `rule.Func("weekday")` {
			t.Errorf("%+v, %v", d, err)
		}
		if !want && d.Reason != core.ReasonDenied {
			t.Errorf("reason %q", d.Reason)
		}
	}
	r := rule.Func("weekday", func(context.Context, *core.Principal, core.Access) (bool, error) { return true, errDown })
	if d, err := r.Authorize(ctx, p, access); err != errDown || d.Allowed {
		t.Errorf("an error beside true gave %+v, %v", d, err)
	}
}

// H19: the state is looked up at every request.
func TestAccount(t *testing.T) {
	p := principal(t, core.PrincipalInfo{ID: "sam"})
	var state rule.AccountState
	var err error
	r := rule.Account(func(_ context.Context, q *core.Principal) (rule.AccountState, error) {
		if q != p {
			t.Errorf("asked about %v", q)
		}
		return state, err
	})
	for _, tt := range []struct {
		state rule.AccountState
		word  string
	}{
		{rule.AccountUnknown, "unknown"},
		{rule.AccountSuspended, "suspended"},
		{rule.AccountClosed, "closed"},
		{rule.AccountState(200), "unknown"},
	} {
		state = tt.state
		d := decide(t, r, p)
		if d.Allowed || d.Reason != core.ReasonAccountState || d.Rule != "rule.Account: "+tt.word ||
			d.Code != "account_suspended" || d.Message == "" || d.Scopes != nil {
			t.Errorf("%v: %+v", tt.state, d)
		}
	}
	state = rule.AccountActive
	if d := decide(t, r, p); !d.Allowed || d.Code != "" || d.Rule != "rule.Account" {
		t.Errorf("active: %+v", d)
	}
	if got := rule.AccountActive.String(); got != "active" {
		t.Errorf("active prints as %q", got)
	}
	err = errDown
	if d, got := r.Authorize(t.Context(), p, core.Access{}); got != errDown || d.Allowed {
		t.Errorf("a failing lookup gave %+v, %v", d, got)
	}
}

func TestTheZeroAccountStateIsNotActive(t *testing.T) {
	var state rule.AccountState
	if state == rule.AccountActive {
		t.Error("the zero state is active")
	}
}

func TestRulesThatCannotWorkPanicWhenMade(t *testing.T) {
	ok := rule.Role("admin")
	var typedNil *fixed
	tests := []struct {
		name string
		make func()
		want string
	}{
		{"no role", func() { rule.Role() }, "rule.Role: no role given"},
		{"an empty role", func() { rule.Role("a", "") }, "rule.Role: role 2 is empty"},
		{"a role twice", func() { rule.Role("a", "b", "a") }, `rule.Role: role "a" is given twice`},
		{"no scope", func() { rule.Scope() }, "rule.Scope: no scope given"},
		{"an empty scope", func() { rule.Scope("") }, "rule.Scope: scope 1 is empty"},
		{"a scope twice", func() { rule.Scope("a", "a") }, `rule.Scope: scope "a" is given twice`},
		{"two scopes in one", func() { rule.Scope("a b") }, `rule.Scope: scope "a b": byte 0x20 at offset 1`},
		{"a quote in a scope", func() { rule.Scope(`a"`) }, `byte 0x22 at offset 1`},
		{"a backslash in a scope", func() { rule.Scope(`\`) }, `byte 0x5c at offset 0`},
		{"a control in a scope", func() { rule.Scope("a\x7f") }, `byte 0x7f at offset 1`},
		{"a scope outside ASCII", func() { rule.Scope("é") }, `byte 0xc3 at offset 0`},
		{"no claim name", func() { rule.Claim("", "x") }, "rule.Claim: the claim name must not be empty"},
		{"no claim value", func() { rule.Claim("plan") }, "rule.Claim: no value given"},
		{"an empty claim value", func() { rule.Claim("plan", "") }, "rule.Claim: value 1 is empty"},
		{"no class", func() { rule.ACR() }, "rule.ACR: no class given"},
		{"no class beside an age", func() { rule.StepUp(time.Minute) }, "rule.StepUp: no class given"},
		{"a class twice", func() { rule.ACR("a", "a") }, `rule.ACR: class "a" is given twice`},
		{"two classes in one", func() { rule.StepUp(time.Minute, "a b") }, `rule.StepUp: class "a b": byte 0x20 at offset 1`},
		{"a class outside ASCII", func() { rule.ACR("é") }, `byte 0xc3 at offset 0`},
		{"no age", func() { rule.MaxAge(0) }, "rule.MaxAge: max age 0s: must be whole seconds, at least 1s"},
		{"a negative age", func() { rule.MaxAge(-time.Minute) }, "at least 1s"},
		{"a fraction of a second", func() { rule.StepUp(1500*time.Millisecond, "a") }, "rule.StepUp: max age 1.5s: must be whole seconds"},
		{"a step-up's code", func() { rule.Public(core.CodeStepUp, "", ok) }, "is used by another kind of response"},
		{"no lookup", func() { rule.Account(nil) }, "rule.Account: the lookup is nil"},
		{"no predicate name", func() {
			rule.Func("", func(context.Context, *core.Principal, core.Access) (bool, error) { return true, nil })
		}, "rule.Func: the rule name must not be empty"},
		{"no predicate", func() { rule.Func("x", nil) }, `rule.Func: the function of "x" is nil`},
		{"all of nothing", func() { rule.All() }, "rule.All: no rule given"},
		{"any of nothing", func() { rule.Any() }, "rule.Any: no rule given"},
		{"all with nil", func() { rule.All(ok, nil) }, "rule.All: rule 2 is nil"},
		{"any with a nil pointer", func() { rule.Any(typedNil) }, "rule.Any: rule 1 is nil"},
		{"not nil", func() { rule.Not(nil) }, "rule.Not: rule 1 is nil"},
		{"public nil", func() { rule.Public("code", "text", nil) }, "rule.Public: rule 1 is nil"},
		{"public nothing", func() { rule.Public("", "", ok) }, "rule.Public: neither code nor message"},
		{"a code with a space", func() { rule.Public("no plan", "", ok) }, `rule.Public: code "no plan": byte 0x20 at offset 2`},
		{"a code with a quote", func() { rule.Public(`a"b`, "", ok) }, `byte 0x22`},
		{"a code outside ASCII", func() { rule.Public("é", "", ok) }, `byte 0xc3`},
		{"a long code", func() { rule.Public(strings.Repeat("x", 65), "", ok) }, "65 bytes, more than 64"},
		{"a 401's code", func() { rule.Public(core.CodeInvalidToken, "", ok) }, "is used by another kind of response"},
		{"I07 a scope's code", func() { rule.Public(core.CodeInsufficientScope, "", ok) }, "is used by another kind of response"},
		{"a message with a line break", func() { rule.Public("", "a\r\nb", ok) }, "control character"},
		{"a message that is not UTF-8", func() { rule.Public("", "a\xff", ok) }, "not valid UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tt.want) {
					t.Errorf("panic %q, want one with %q", got, tt.want)
				}
			}()
			tt.make()
		})
	}
}

func TestEveryCharacterOfAScopeTokenIsAccepted(t *testing.T) { // RFC 6749 §3.3
	for c := byte('!'); c <= '~'; c++ {
		if c != '"' && c != '\\' {
			rule.Scope(string(rune(c)))
		}
	}
	rule.Public(strings.Repeat("x", 64), "", rule.Role("a"))
	rule.Public("A-z_0.9", "", rule.Role("a"))
}

func TestTheAllowedPathDoesNotAllocate(t *testing.T) {
	p := principal(t, core.PrincipalInfo{Roles: []string{"admin"}, Scopes: []string{"a", "b"}, Claims: map[string]any{"plan": "pro"}})
	ctx := t.Context()
	for _, r := range []core.Authorizer{
		rule.Role("editor", "admin"),
		rule.Scope("b", "a"),
		rule.All(rule.Role("admin"), rule.Scope("a")),
		rule.Any(rule.Role("editor"), rule.Scope("a")),
		rule.Public("admins_only", "Admins only.", rule.Role("admin")),
		rule.Not(rule.Role("contractor")),
		rule.Claim("plan", "pro"),
	} {
		if n := testing.AllocsPerRun(100, func() {
			if d, err := r.Authorize(ctx, p, core.Access{}); err != nil || !d.Allowed {
				t.Fatalf("%+v, %v", d, err)
			}
		}); n != 0 {
			t.Errorf("%v allocates %v times", r, n)
		}
	}
}
