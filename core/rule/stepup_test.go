package rule_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

var (
	noon      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	goldOrMFA = &core.StepUp{ACRValues: []string{"gold", "mfa"}}
	fresh     = &core.StepUp{MaxAge: 5 * time.Minute}
	both      = &core.StepUp{ACRValues: []string{"gold"}, MaxAge: 5 * time.Minute}
)

// B16: RFC 9470 §3 and §6.
func TestStepUp(t *testing.T) {
	acr := rule.ACR("gold", "mfa")
	age := rule.At(noon, rule.MaxAge(5*time.Minute))
	two := rule.At(noon, rule.StepUp(5*time.Minute, "gold"))
	for _, tt := range []struct {
		name string
		rule core.Authorizer
		acr  any
		at   time.Time
		want *core.StepUp // nil for allowed
	}{
		{"the preferred class", acr, "gold", time.Time{}, nil},
		{"another of the classes", acr, "mfa", time.Time{}, nil},
		{"a class that is not listed", acr, "silver", noon, goldOrMFA},
		{"classes are compared in letter case", acr, "Gold", noon, goldOrMFA},
		{"a list is no class", acr, []any{"gold"}, noon, goldOrMFA},
		{"two classes in one string", acr, "gold mfa", noon, goldOrMFA},
		{"an empty class", acr, "", noon, goldOrMFA},
		{"no class", acr, nil, noon, goldOrMFA},

		{"just now", age, nil, noon, nil},
		{"as long ago as allowed", age, nil, noon.Add(-5 * time.Minute), nil},
		{"a moment longer ago", age, nil, noon.Add(-5*time.Minute - time.Nanosecond), fresh},
		{"B16 a missing time is too long ago", age, nil, time.Time{}, fresh},
		{"1970", age, nil, time.Unix(0, 0), fresh},
		{"a clock that is a little fast", age, nil, noon.Add(time.Minute), nil},
		{"a time to come", age, nil, noon.Add(time.Minute + time.Nanosecond), fresh},
		{"in the year 9999", age, nil, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), fresh},

		{"class and time", two, "gold", noon, nil},
		{"a class too weak, in time", two, "mfa", noon, both},
		{"the class, too long ago", two, "gold", noon.Add(-time.Hour), both},
		{"neither", two, nil, time.Time{}, both},
	} {
		t.Run(tt.name, func(t *testing.T) {
			info := core.PrincipalInfo{AuthTime: tt.at}
			if tt.acr != nil {
				info.Claims = map[string]any{"acr": tt.acr}
			}
			got := decide(t, tt.rule, principal(t, info))
			want := core.Decision{Allowed: tt.want == nil, StepUp: tt.want, Rule: got.Rule}
			if tt.want != nil {
				want.Reason = core.ReasonWeakAuthentication
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestStepUpRulesAreReadByTheRealClock(t *testing.T) {
	p := principal(t, core.PrincipalInfo{AuthTime: time.Now()})
	if d := decide(t, rule.MaxAge(time.Hour), p); !d.Allowed {
		t.Errorf("%+v", d)
	}
}

func TestStepUpRulesPrintAsTheirCalls(t *testing.T) {
	p := principal(t, core.PrincipalInfo{})
	for want, r := range map[string]core.Authorizer{
		`rule.ACR("gold", "mfa")`:   rule.ACR("gold", "mfa"),
		`rule.MaxAge(5m0s)`:         rule.MaxAge(5 * time.Minute),
		`rule.StepUp(5m0s, "gold")`: rule.StepUp(5*time.Minute, "gold"),
	} {
		if got := decide(t, r, p).Rule; got != want {
			t.Errorf("rule %s, want %s", got, want)
		}
	}
}

// What a combination refuses still says how to get in.
func TestStepUpSurvivesCombination(t *testing.T) {
	p := principal(t, core.PrincipalInfo{Scopes: []string{"read"}})
	acr, age := rule.ACR("gold"), rule.MaxAge(5*time.Minute)
	gold := &core.StepUp{ACRValues: []string{"gold"}}
	for _, tt := range []struct {
		rule   core.Authorizer
		want   *core.StepUp
		reason core.Reason
		code   string
	}{
		{rule.All(rule.Scope("read"), acr), gold, core.ReasonWeakAuthentication, ""},
		{rule.All(acr, age), gold, core.ReasonWeakAuthentication, ""},
		{rule.All(rule.Role("admin"), acr), nil, core.ReasonMissingRole, ""},
		{rule.Any(acr, age), gold, core.ReasonWeakAuthentication, ""},
		{rule.Any(rule.Role("admin"), acr), gold, core.ReasonWeakAuthentication, ""},
		{rule.Any(rule.Role("admin"), age, acr), fresh, core.ReasonWeakAuthentication, ""},
		{rule.Any(rule.Scope("write"), acr), nil, core.ReasonMissingScope, ""},
		{rule.Any(rule.Public("plan_required", "", rule.Role("admin")), acr), nil, core.ReasonMissingRole, "plan_required"},
		{rule.Any(rule.All(rule.Scope("read"), age), acr), fresh, core.ReasonWeakAuthentication, ""},
		{rule.Public("", "Sign in with your security key.", acr), gold, core.ReasonWeakAuthentication, ""},
		{rule.Public("key_required", "", acr), nil, core.ReasonWeakAuthentication, "key_required"},
		{rule.Not(rule.Scope("read")), nil, core.ReasonDenied, ""},
	} {
		d := decide(t, tt.rule, p)
		if d.Allowed || !reflect.DeepEqual(d.StepUp, tt.want) || d.Reason != tt.reason || d.Code != tt.code {
			t.Errorf("%v: %+v", tt.rule, d)
		}
	}
	if d := decide(t, rule.Not(acr), p); !d.Allowed || d.StepUp != nil {
		t.Errorf("Not: %+v", d)
	}
}

func TestStepUpRulesKeepTheirArguments(t *testing.T) {
	p := principal(t, core.PrincipalInfo{})
	classes := []string{"gold"}
	r := rule.ACR(classes...)
	classes[0] = "written"
	decide(t, r, p).StepUp.ACRValues[0] = "written"
	if got := decide(t, r, p).StepUp.ACRValues; got[0] != "gold" {
		t.Errorf("classes %q", got)
	}
}

// signedIn verifies tokens "gold" and "silver", named after the class in which
// their owner signed in an hour ago.
type signedIn struct{}

func (signedIn) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{
		ID: "alice", Claims: map[string]any{"acr": token}, AuthTime: time.Now().Add(-time.Hour),
	})
}

func ExampleStepUp() {
	scheme, err := bearer.New("bank", signedIn{})
	if err != nil {
		panic(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		panic(err)
	}
	done := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	mux := http.NewServeMux()
	mux.Handle("GET /balance", httpauth.Require(guard, rule.StepUp(24*time.Hour, "gold", "silver"))(done))
	mux.Handle("POST /payment", httpauth.Require(guard, rule.StepUp(5*time.Minute, "gold"))(done))

	for _, request := range []string{"GET /balance", "POST /payment"} {
		method, path, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Authorization", "Bearer gold")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(request, w.Code)
		if _, wants, found := strings.Cut(w.Header().Get("WWW-Authenticate"), "needed\", "); found {
			fmt.Println("  wants", wants)
		}
	}
	// Output:
	// GET /balance 200
	// POST /payment 401
	//   wants acr_values="gold", max_age="300"
}
