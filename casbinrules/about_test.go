package casbinrules

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// ownedModel lets a rule be for the owner of an object.
var ownedModel = ModelText("owned.conf", modelText("sub, obj, act, owner", "sub, obj, act", "g = _, _", someAllow,
	`p.sub != "owner" && g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act || p.sub == "owner" && r.sub == r.owner && keyMatch2(r.obj, p.obj) && r.act == p.act`))

const owned = "p, owner, /reports/:id, PUT\np, admin, /reports/:id, PUT\np, admin, /reports, GET\ng, root, admin\n"

// TestHandlersSayWhoOwnsAnObject mounts gate one in front of a handler that loads
// the object and asks the policy about it.
func TestHandlersSayWhoOwnsAnObject(t *testing.T) {
	policy := openLines(t, ownedModel, owned, WithObjectAttribute("owner"))
	scheme, err := basic.New("reports", basic.VerifierFunc(func(_ context.Context, user, _ string) (*core.Principal, error) {
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	var events []core.Event
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(policy), core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })))
	if err != nil {
		t.Fatal(err)
	}
	owners := map[string]string{"7": "ann", "8": "ben"}
	mux := http.NewServeMux()
	mux.Handle("PUT /reports/{id}", httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := httpauth.Check(w, r, guard, policy.About(map[string]string{"owner": owners[r.PathValue("id")]})); err != nil {
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})))
	mux.Handle("PATCH /reports/{id}", httpauth.Authorize(guard)(http.NotFoundHandler()))
	for _, c := range []struct {
		method, user, id string
		want             int
		reason           core.Reason
	}{
		{"PUT", "ann", "7", 204, ""},
		{"PUT", "ben", "7", 403, ReasonNoRule},
		{"PUT", "ben", "8", 204, ""},
		{"PUT", "root", "8", 204, ""},
		{"PUT", "ann", "9", 403, ReasonNoRule}, // which nobody owns
		{"PUT", "", "7", 401, core.ReasonNoCredentials},
		{"PATCH", "root", "7", 403, ReasonNoAttribute}, // a gate in front of the handler
	} {
		r := httptest.NewRequest(c.method, "/reports/"+c.id, nil)
		if c.user != "" {
			r.SetBasicAuth(c.user, "x")
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s as %q: %d", c.method, c.id, c.user, w.Code)
		}
		if e := events[len(events)-1]; c.reason != "" && e.Reason != c.reason {
			t.Errorf("%s %s as %q: reason %s, want %s", c.method, c.id, c.user, e.Reason, c.reason)
		}
	}
}

// TestNobodyIsOwnerByName: a user called owner, or with a role of that name from any
// source, owns nothing more.
func TestNobodyIsOwnerByName(t *testing.T) {
	named, err := core.NewPrincipal(core.PrincipalInfo{ID: "max", Roles: []string{"owner"}})
	if err != nil {
		t.Fatal(err)
	}
	const link = "g, eve, owner\n"
	for _, c := range []struct {
		name, lines string
		who         *core.Principal
		opts        []Option
	}{
		{"the ID owner", owned, principal(t, "owner"), nil},
		{"the token role owner", owned, named, nil},
		{"the policy's role owner", owned + link, principal(t, "eve"), nil},
		{"the ID of the policy's role owner", owned + link, principal(t, "owner"), []Option{WithCasbinSemantics()}},
		{"the default role owner", owned, principal(t, "max"), []Option{WithDefaultRole("owner")}},
	} {
		a := openLines(t, ownedModel, c.lines, append(c.opts, WithObjectAttribute("owner"))...)
		for owner, want := range map[string]bool{"ann": false, "": false, c.who.ID(): true} {
			d, err := a.About(map[string]string{"owner": owner}).Authorize(t.Context(), c.who, to("PUT", "/reports/7"))
			if err != nil || d.Allowed != want {
				t.Errorf("%s, about an object of %q: %+v, %v", c.name, owner, d, err)
			}
		}
	}
}

// TestAboutIsOfTheObjectAlone: what a handler says about an object fills only the object's
// fields, and only for one request.
func TestAboutIsOfTheObjectAlone(t *testing.T) {
	a := openLines(t, ownedModel, owned, WithObjectAttributeOr("owner", ""))
	p, put := principal(t, "ann"), to("PUT", "/reports/7")
	decide := func(values map[string]string) core.Decision {
		d, err := a.About(values).Authorize(t.Context(), p, put)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := decide(map[string]string{"owner": "ann"}); !d.Allowed || d.Rule != "policy.csv:1" {
		t.Errorf("the owner: %+v", d)
	}
	for _, values := range []map[string]string{{"owner": "ben"}, {"owner": ""}, {}, nil} {
		if d := decide(values); d.Allowed || d.Reason != ReasonNoRule {
			t.Errorf("%v: %+v", values, d)
		}
	}
	if d, err := a.Authorize(t.Context(), p, put); err != nil || d.Allowed {
		t.Errorf("at a gate: %+v, %v", d, err)
	}
	for name, value := range decide(map[string]string{"owner": "ben"}).Attributes.All() {
		if name != "owner" || value != "ben" {
			t.Errorf("the event has %s %q", name, value)
		}
	}
	_, err := a.About(map[string]string{"sub": "root"}).Authorize(t.Context(), p, put)
	var fault *core.InternalError
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), `"sub" is not a field of WithObjectAttribute: those are owner`) {
		t.Errorf("a field that is not of the object: %v", err)
	}
	e, err := a.Explain(t.Context(), p, put, WithAbout(map[string]string{"owner": "ann"}))
	if err != nil || !e.Allowed {
		t.Errorf("%v, %v", e, err)
	}
	if _, err := a.Explain(t.Context(), p, put, WithAbout(map[string]string{"owners": "ann"})); err == nil {
		t.Error("an explanation takes a field that there is not")
	}
	if e := a.Status().Engine; e != EngineIndex {
		t.Errorf("decided by %s", e)
	}
}

// TestOwnersInConditions: which conditions on owners a set can express, and which it
// cannot.
func TestOwnersInConditions(t *testing.T) {
	a := openLines(t, ownedModel, owned, WithObjectAttributeOr("owner", "nobody"))
	p, put := principal(t, "ann"), Action{Name: "PUT"}
	set, err := a.Objects(t.Context(), p, put)
	if err != nil {
		t.Fatal(err)
	}
	for owner, want := range map[string]bool{"ann": true, "ben": false} {
		if ok, err := set.ContainsAbout("/reports/7", map[string]string{"owner": owner}); ok != want || err != nil {
			t.Errorf("of %s: %v, %v", owner, ok, err)
		}
	}
	if ok, err := set.Contains("/reports/7"); ok || err != nil {
		t.Errorf("of nobody: %v, %v", ok, err)
	}
	if _, err := set.ContainsAbout("/reports/7", map[string]string{"sub": "root"}); err == nil {
		t.Error("a field that is not of the object is accepted")
	}
	text, args, err := set.SQL("path", Dollar, WithColumn("owner", "owner"))
	if err != nil || !strings.Contains(text, "COALESCE((owner)::text, $") || !slices.Contains(args, any("nobody")) {
		t.Errorf("%s %q, %v", text, args, err)
	}
	for name, opts := range map[string][]SQLOption{"none": nil, "another": {WithColumn("group", "g")}, "twice": {WithColumn("owner", "a"), WithColumn("owner", "b")}, "empty": {WithColumn("owner", "")}, "no field": {WithColumn("owner", "owner"), WithColumn("", "x")}, "nil": {nil}} {
		if _, _, err := set.SQL("path", Dollar, opts...); err == nil {
			t.Errorf("columns: %s: no error", name)
		}
	}
	// A user called like a role owns nothing, and is not valid text for PostgreSQL.
	named, err := openLines(t, ownedModel, owned, WithObjectAttribute("owner")).Objects(t.Context(), principal(t, "admin"), put)
	if err != nil || named.Condition().Kind != ConditionNone {
		t.Errorf("%+v, %v", named.Condition(), err)
	}
	var unlistable *UnlistableError
	for matcher, opts := range map[string][]Option{
		"g(r.sub, r.owner) && r.obj == p.obj && r.act == p.act && p.sub != r.sub":                      nil,
		"g(r.sub, p.sub) && r.obj == r.owner && r.act == p.act && p.obj != r.act":                      nil,
		"g(r.sub, p.sub) && keyMatch(r.owner, p.obj) && r.act == p.act":                                nil,
		"g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.owner >= 7":                          {WithAttributeType("owner", Number)},
		`g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && !(r.owner == r.obj || r.owner == "x")`: nil,
	} {
		m := ModelText("m.conf", modelText("sub, obj, act, owner", "sub, obj, act", "g = _, _", someAllow, matcher))
		a := openLines(t, m, "p, ann, /a, PUT\n", append(opts, WithObjectAttribute("owner"))...)
		if _, err := a.Objects(t.Context(), p, put); !errors.As(err, &unlistable) {
			t.Errorf("%s: %v", matcher, err)
		}
	}
}

// TestArgumentsAreThoseOfTheCondition: there is an argument for each placeholder, even if
// an ID is not valid text in PostgreSQL.
func TestArgumentsAreThoseOfTheCondition(t *testing.T) {
	a := openLines(t, ownedModel, owned, WithObjectAttributeOr("owner", ""))
	for _, id := range []string{"ann", "ann\x00"} {
		set, err := a.Objects(t.Context(), principal(t, id), Action{Name: "PUT"})
		if err != nil {
			t.Fatal(err)
		}
		text, args, err := set.SQL("path", QuestionMark, WithColumn("owner", "owner"))
		if err != nil || strings.Count(text, "?") != len(args) {
			t.Errorf("%q: %s %q, %v", id, text, args, err)
		}
	}
}

// TestListsKnowWhoFillsAttributes: a function may look at the object, and a claim cannot.
func TestListsKnowWhoFillsAttributes(t *testing.T) {
	m := ModelText("m.conf", modelText("sub, obj, act, region", "sub, obj, act, region", "g = _, _", someAllow, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.region == p.region"))
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann", Claims: map[string]any{"region": "eu"}})
	if err != nil {
		t.Fatal(err)
	}
	byClaim := openLines(t, m, "p, ann, /a, GET, eu\np, ann, /b, GET, us\n", WithClaimAttribute("region", "region"))
	set, err := byClaim.Objects(t.Context(), p, Action{Name: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(set.Grants("")); len(got) != 1 || got[0].Object != "/a" {
		t.Errorf("by a claim: %v", got)
	}
	byObject := openLines(t, m, "p, ann, /a, GET, eu\n", WithAttribute("region", func(_ *core.Principal, a core.Access) (string, error) {
		return map[string]string{"/a": "eu"}[a.Resource.Name], nil
	}))
	if _, err := byObject.Objects(t.Context(), p, Action{Name: "GET"}); !errors.As(err, new(*UnlistableError)) {
		t.Errorf("by a function: %v", err)
	}
}

// TestListsAskNothingOfObjects: if the policy needs facts about objects that are not given,
// lists and buttons are refused instead of being empty.
func TestListsAskNothingOfObjects(t *testing.T) {
	a := openLines(t, ownedModel, owned, WithObjectAttribute("owner"))
	var unlistable *UnlistableError
	if got, err := a.Filter(t.Context(), principal(t, "root"), Action{Name: "PUT"}, []string{"/reports/7"}); !errors.As(err, &unlistable) || !strings.Contains(err.Error(), "attribute owner") {
		t.Errorf("Filter: %q, %v", got, err)
	}
	if got, err := a.Actions(t.Context(), principal(t, "root"), "/reports/7", []Action{{Name: "PUT"}}); !errors.As(err, &unlistable) {
		t.Errorf("Actions: %v, %v", got, err)
	}
	a = openLines(t, ownedModel, owned, WithObjectAttributeOr("owner", ""))
	for who, want := range map[string]int{"root": 1, "ann": 0} {
		got, err := a.Filter(t.Context(), principal(t, who), Action{Name: "PUT"}, []string{"/reports/7", "/x"})
		if err != nil || len(got) != want {
			t.Errorf("Filter for %s with a value for all: %q, %v", who, got, err)
		}
		actions, err := a.Actions(t.Context(), principal(t, who), "/reports/7", []Action{{Name: "PUT"}})
		if err != nil || len(actions) != want {
			t.Errorf("Actions for %s with a value for all: %v, %v", who, actions, err)
		}
	}
}

// TestNobodyOwnsAsNobody: a principal called like a role is not a subject of rules, and
// owns nothing.
func TestNobodyOwnsAsNobody(t *testing.T) {
	a := openLines(t, ownedModel, owned, WithObjectAttribute("owner"))
	for who, want := range map[string]core.Reason{"admin": ReasonBadAttribute, "ann": ReasonNoRule} {
		d, err := a.About(map[string]string{"owner": "\x00"}).Authorize(t.Context(), principal(t, who), to("PUT", "/reports/7"))
		if err != nil || d.Allowed || d.Reason != want {
			t.Errorf("%s: %+v, %v, want %s", who, d, err, want)
		}
	}
}

// TestDeniesForOwnersNeedTheOwner: if the owner of an object is unknown and an option gives
// "" for it, a deny for the owner does not apply.
func TestDeniesForOwnersNeedTheOwner(t *testing.T) {
	m := ModelText("m.conf", modelText("sub, obj, act, owner", "sub, obj, act, eft", "g = _, _", allowAndDeny,
		`p.sub != "owner" && g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act || p.sub == "owner" && r.sub == r.owner && r.obj == p.obj && r.act == p.act`))
	a := openLines(t, m, "p, clerk, /orders, PUT, allow\np, owner, /orders, PUT, deny\ng, ann, clerk\n", WithObjectAttributeOr("owner", ""))
	for owner, want := range map[string]bool{"ann": false, "ben": true, "": true} {
		if d, err := a.About(map[string]string{"owner": owner}).Authorize(t.Context(), principal(t, "ann"), to("PUT", "/orders")); err != nil || d.Allowed != want {
			t.Errorf("%q: %+v, %v", owner, d, err)
		}
	}
	if d, err := a.Authorize(t.Context(), principal(t, "ann"), to("PUT", "/orders")); err != nil || !d.Allowed {
		t.Errorf("at a gate: %+v, %v", d, err)
	}
}

// TestAnonymousRequestsAreAskedAboutNoObject: explanations of anonymous requests use what
// decides them.
func TestAnonymousRequestsAreAskedAboutNoObject(t *testing.T) {
	m := ModelText("m.conf", modelText("sub, obj, act, owner", "sub, obj, act", "g = _, _", someAllow, `g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.owner == "ann"`))
	for option, want := range map[string]core.Reason{"none": ReasonNoAttribute, "ben": ReasonNoRule, "ann": core.ReasonAllowed} {
		opt := WithObjectAttribute("owner")
		if option != "none" {
			opt = WithObjectAttributeOr("owner", option)
		}
		a := openLines(t, m, "p, anonymous, /orders, GET\n", WithAnonymous(), opt)
		about := WithAbout(map[string]string{"owner": map[bool]string{true: "ben", false: "ann"}[option == "ann"]})
		d, err := a.AuthorizeAnonymous(t.Context(), to("GET", "/orders"))
		if err != nil || d.Reason != want {
			t.Errorf("%s: %+v, %v", option, d, err)
		}
		explained, err := a.Explain(t.Context(), nil, to("GET", "/orders"), about)
		if err != nil || explained.Reason != want {
			t.Errorf("%s: Explain: %s, %v, want %s", option, explained.Reason, err, want)
		}
		explained, err = a.ExplainQuery(t.Context(), Query{Object: "/orders", Action: "GET"}, about)
		if err != nil || explained.Reason != want {
			t.Errorf("%s: ExplainQuery: %s, %v, want %s", option, explained.Reason, err, want)
		}
	}
}

// TestObjectAttributesHaveTypes: a numeric attribute of the object is compared as a number.
func TestObjectAttributesHaveTypes(t *testing.T) {
	m := ModelText("m.conf", modelText("sub, obj, act, sum", "sub, obj, act, max", "g = _, _", someAllow, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.sum <= p.max"))
	a := openLines(t, m, "p, clerk, /orders, PUT, 1000\ng, ann, clerk\n", WithObjectAttribute("sum"), WithAttributeType("sum", Number))
	for sum, want := range map[string]core.Reason{"900": core.ReasonAllowed, "1000.5": ReasonNoRule, "much": ReasonBadAttribute} {
		d, err := a.About(map[string]string{"sum": sum}).Authorize(t.Context(), principal(t, "ann"), to("PUT", "/orders"))
		if err != nil || d.Reason != want {
			t.Errorf("%s: %+v, %v, want %s", sum, d, err, want)
		}
	}
}
