package casbinrules

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core"
)

var regionModel = ModelText("m.conf", modelText("sub, obj, act, region", "sub, obj, act, region", "g = _, _", someAllow,
	"g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.region == p.region"))

func claiming(t *testing.T, claims map[string]any) *core.Principal {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin", Claims: claims})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAttributesAreCompared(t *testing.T) {
	const policy = "p, staff, /a, GET, eu\np, staff, /a, GET, us\np, staff, /b, GET, 7\np, staff, /c, GET, true\ng, erin, staff\n"
	a := open(t, regionModel, policy, WithClaimAttribute("region", "region"))
	if a.current.Load().Index == nil {
		t.Error("attributes keep the policy from an index")
	}
	for _, w := range a.Warnings() {
		if w.Code == model.CodeShadowed || w.Code == model.CodeDuplicate || w.Code == model.CodeContradiction {
			t.Errorf("rules for different attributes are taken for the same: %s", w)
		}
	}
	for _, c := range []struct {
		name   string
		claims map[string]any
		path   string
		want   core.Reason
	}{
		{"text", map[string]any{"region": "us"}, "/a", core.ReasonAllowed},
		{"another text", map[string]any{"region": "cn"}, "/a", ReasonNoRule},
		{"empty text", map[string]any{"region": ""}, "/a", ReasonNoRule},
		{"whole number", map[string]any{"region": float64(7)}, "/b", core.ReasonAllowed},
		{"number as sent", map[string]any{"region": json.Number("7")}, "/b", core.ReasonAllowed},
		{"truth value", map[string]any{"region": true}, "/c", core.ReasonAllowed},
		{"missing", nil, "/a", ReasonNoAttribute},
		{"null", map[string]any{"region": nil}, "/a", ReasonNoAttribute},
		{"list", map[string]any{"region": []any{"eu"}}, "/a", ReasonNoAttribute},
		{"not a number", map[string]any{"region": math.NaN()}, "/a", ReasonNoAttribute},
	} {
		d, err := a.Authorize(context.Background(), claiming(t, c.claims), to("GET", c.path))
		if err != nil || d.Reason != c.want || d.Allowed != (c.want == core.ReasonAllowed) {
			t.Errorf("%s: %+v, %v", c.name, d, err)
		}
	}
	if d, err := a.Enforce(context.Background(), "erin", "/a", "GET", "eu"); err != nil || !d.Allowed {
		t.Errorf("Enforce: %+v, %v", d, err)
	}
	optional := open(t, regionModel, "p, erin, /a, GET, none\np, anonymous, /a, GET, none\n", WithClaimAttributeOr("region", "region", "none"), WithAnonymous())
	if d := decide(t, optional, who(t, "erin"), to("GET", "/a")); !d.Allowed {
		t.Errorf("a claim that may be missing: %+v", d)
	}
	if d, err := optional.AuthorizeAnonymous(context.Background(), to("GET", "/a")); err != nil || !d.Allowed {
		t.Errorf("anonymous: %+v, %v", d, err)
	}
	strict := open(t, regionModel, "p, anonymous, /a, GET, eu\n", WithClaimAttribute("region", "region"), WithAnonymous())
	if d, err := strict.AuthorizeAnonymous(context.Background(), to("GET", "/a")); err != nil || d.Reason != ReasonNoAttribute {
		t.Errorf("anonymous without a claim: %+v, %v", d, err)
	}
}

// A value for a field that the model does not have would have no effect.
func TestOptionsForFieldsThatTheModelLacksRefuseIt(t *testing.T) {
	text := func(*core.Principal, core.Access) (string, error) { return "eu", nil }
	for name, c := range map[string]struct {
		opts []Option
		want []string // what the error says
	}{
		"attribute":           {[]Option{WithAttribute("zone", text)}, []string{`no field "zone"`, "Attribute", "its fields are sub, obj, act, region"}},
		"misspelt claim":      {[]Option{WithClaimAttribute("regoin", "region")}, []string{`no field "regoin"`, "did you mean region?"}},
		"claim or another":    {[]Option{WithClaimAttributeOr("Region", "region", "eu")}, []string{`no field "Region"`, "did you mean region?"}},
		"type":                {[]Option{WithAttributeType("regoin", Number)}, []string{`no field "regoin"`, "WithAttributeType", "did you mean region?"}},
		"attribute and type":  {[]Option{WithAttribute("zone", text), WithAttributeType("zone", Number)}, []string{`no field "zone"`}},
		"as Casbin":           {[]Option{WithAttributeType("zone", Number), WithCasbinSemantics()}, []string{`no field "zone"`}},
		"two, in their order": {[]Option{WithAttribute("b", text), WithAttribute("a", text)}, []string{`no field "a"`, "2 errors"}},
	} {
		region := WithClaimAttribute("region", "region")
		_, err := OpenFS(files("p.csv", "p, erin, /a, GET, eu\n"), regionModel, []string{"p.csv"}, append(c.opts, region, quiet)...)
		var refused *FindingsError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range c.want {
			if want == "2 errors" {
				if len(refused.Findings) != 2 {
					t.Errorf("%s: %v", name, err)
				}
			} else if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
	if _, err := OpenFS(files("p.csv", "p, erin, /a, GET, eu\n"), regionModel, []string{"p.csv"}, WithClaimsAsAttributes(), WithAttributeType("zone", Number), quiet); err != nil {
		t.Errorf("a tool: %v", err)
	}
	if got, err := regionModel.RequestFields(); err != nil || strings.Join(got, " ") != "sub obj act region" {
		t.Errorf("fields: %q, %v", got, err)
	}
	if got, err := ModelText("m.conf", "nothing").RequestFields(); err != nil || got != nil {
		t.Errorf("fields of no model: %q, %v", got, err)
	}
	if _, err := ModelFile("testdata/missing.conf").RequestFields(); err == nil {
		t.Error("fields of a file that is missing")
	}
}

func TestToolsGiveAnyAttributes(t *testing.T) {
	a := open(t, regionModel, "p, erin, /a, GET, eu\n", WithClaimsAsAttributes())
	for region, want := range map[string]bool{"eu": true, "us": false} {
		if d, err := a.Enforce(context.Background(), "erin", "/a", "GET", region); err != nil || d.Allowed != want {
			t.Errorf("%s: %+v, %v", region, d, err)
		}
	}
	if d := decide(t, a, who(t, "erin"), to("GET", "/a")); d.Allowed || d.Reason != ReasonNoAttribute {
		t.Errorf("a gate without the attribute: %+v", d)
	}
	odd := ModelText("m.conf", strings.Replace(regionModel.Text(), "act, region\n", "act, region of\n", 1))
	if got := findings(t, odd, files("p.csv", "p, a, /x, GET, eu\n"), []string{"p.csv"}, WithClaimsAsAttributes()); len(got) == 0 || got[0] != "m.conf:2:1:model_request" {
		t.Errorf("got %q", got)
	}
}

func TestAttributesThatFailRefuse(t *testing.T) {
	down := errors.New("store is down")
	for name, f := range map[string]func(*core.Principal, core.Access) (string, error){
		"an error":  func(*core.Principal, core.Access) (string, error) { return "eu", down },
		"a fault":   func(*core.Principal, core.Access) (string, error) { return "eu", &core.InternalError{Err: down} },
		"a panic":   func(*core.Principal, core.Access) (string, error) { panic("oops") },
		"a refusal": func(*core.Principal, core.Access) (string, error) { return "eu", ErrNoAttribute },
	} {
		a := open(t, regionModel, "p, erin, /a, GET, eu\n", WithAttribute("region", f))
		d, err := a.Authorize(context.Background(), who(t, "erin"), to("GET", "/a"))
		var internal *core.InternalError
		if d.Allowed || (err == nil) != (name == "a refusal") || errors.As(err, &internal) != (name == "a fault" || name == "a panic") {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
		if name == "an error" && (!errors.Is(err, down) || !strings.Contains(err.Error(), "attribute region")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddressesAreMatchedFromAnAttribute(t *testing.T) {
	m := ModelText("m.conf", modelText("sub, obj, act, ip", "sub, obj, act, net", "", someAllow,
		"ipMatch(r.ip, p.net) && r.sub == p.sub && r.obj == p.obj && r.act == p.act"))
	address := WithAttribute("ip", func(p *core.Principal, _ core.Access) (string, error) {
		v, _ := p.Claim("ip")
		s, _ := v.(string)
		return s, nil
	})
	a := open(t, m, "p, erin, /a, GET, 10.0.0.0/8\np, erin, /a, GET, ::1\n", address)
	for ip, want := range map[string]bool{"10.1.2.3": true, "::1": true, "192.0.2.1": false} {
		if d := decide(t, a, claiming(t, map[string]any{"ip": ip}), to("GET", "/a")); d.Allowed != want {
			t.Errorf("%s: %+v", ip, d)
		}
	}
	var internal *core.InternalError
	if d, err := a.Authorize(context.Background(), claiming(t, nil), to("GET", "/a")); !errors.As(err, &internal) || d.Allowed {
		t.Errorf("no address: %+v, %v", d, err)
	}
	if got := findings(t, m, files("p.csv", "p, erin, /a, GET, 10.0.0.0/99\n"), []string{"p.csv"}, address); len(got) != 1 || got[0] != "p.csv:1:19:bad_pattern" {
		t.Errorf("got %q", got)
	}
}

func TestAttributesAndFunctionsAreCheckedAtAssembly(t *testing.T) {
	text := func(*core.Principal, core.Access) (string, error) { return "", nil }
	yes := func(...string) (bool, error) { return true, nil }
	for name, opts := range map[string][]Option{
		"field that is filled":  {WithAttribute("obj", text)},
		"no name":               {WithAttribute("a b", text)},
		"no function":           {WithAttribute("region", nil)},
		"twice":                 {WithAttribute("region", text), WithAttribute("region", text)},
		"claim without a name":  {WithClaimAttribute("region", "")},
		"function without name": {WithFunction("", yes)},
		"function of Casbin's":  {WithFunction("keyMatch2", yes)},
		"role definition":       {WithFunction("g2", yes)},
		"request field":         {WithFunction("r_sub", yes)},
		"eval":                  {WithFunction("eval", yes)},
		"nil function":          {WithFunction("f", nil)},
		"function twice":        {WithFunction("f", yes), WithFunction("f", yes)},
	} {
		if _, err := OpenFS(files("p.csv", "p, a, /x, GET\n"), RBAC(), []string{"p.csv"}, opts...); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	twice := ModelText("m.conf", strings.Replace(regionModel.Text(), "r = sub, obj, act, region", "r = sub, obj, act, region, region", 1))
	if got := findings(t, twice, files("p.csv", "p, a, /x, GET, eu\n"), []string{"p.csv"}, WithAttribute("region", text)); len(got) != 1 || got[0] != "m.conf:2:1:model_request" {
		t.Errorf("got %q", got)
	}
}

func TestFunctionsOfTheApplicationAreCalled(t *testing.T) {
	failure := errors.New("cannot say")
	m := ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, "g(r.sub, p.sub) && within(r.obj, p.obj) && r.act == p.act"))
	a := open(t, m, "p, staff, /a, GET\ng, erin, staff\n", WithFunction("within", func(args ...string) (bool, error) {
		switch args[0] {
		case "/error":
			return true, failure
		case "/panic":
			panic("oops")
		}
		return strings.HasPrefix(args[0], args[1]), nil
	}))
	if why := a.current.Load().Unindexed; why == nil || !strings.Contains(why.Error(), "within") {
		t.Errorf("unindexed: %v", why)
	}
	for path, want := range map[string]bool{"/a/1": true, "/b": false} {
		if d := decide(t, a, who(t, "erin"), to("GET", path)); d.Allowed != want {
			t.Errorf("%s: %+v", path, d)
		}
	}
	for _, path := range []string{"/error", "/panic"} {
		d, err := a.Authorize(context.Background(), who(t, "erin"), to("GET", path))
		var internal *core.InternalError
		if !errors.As(err, &internal) || d.Allowed || errors.Is(err, failure) != (path == "/error") {
			t.Errorf("%s: %+v, %v", path, d, err)
		}
	}
	e, err := a.Explain(context.Background(), who(t, "erin"), to("GET", "/b"))
	if err != nil || len(e.NearMisses) != 1 {
		t.Errorf("explained: %+v, %v", e, err)
	}
}
