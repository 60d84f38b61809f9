package casbinrules

import (
	"context"
	"strings"
	"testing"
)

func TestAttributeTypesAreParsed(t *testing.T) {
	for text, want := range map[string]AttributeType{"age=number": Number, "age=text": Text, "age=time": TimeOfDay, "age=date": Date, "age=ip": IPAddress} {
		if field, kind, err := ParseAttribute(text); field != "age" || kind != want || err != nil {
			t.Errorf("%s: %s, %s, %v", text, field, kind, err)
		}
	}
	for _, text := range []string{"", "age", "=number", "age=", "age=int", "age=Number", "a b=number", "sub=text", "obj=number", "age=number=", "9=number", "age= number"} {
		if field, kind, err := ParseAttribute(text); err == nil {
			t.Errorf("%q is taken: %s, %s", text, field, kind)
		}
	}
	for name, opts := range map[string][]Option{
		"filled field": {WithAttributeType("act", Number)},
		"no name":      {WithAttributeType("", Number)},
		"no type":      {WithAttributeType("age", 99)},
		"twice":        {WithAttributeType("age", Number), WithAttributeType("age", Number)},
	} {
		if _, err := OpenFS(files("p.csv", "p, a, /x, GET\n"), RBAC(), []string{"p.csv"}, opts...); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// ageModel is one with a typed attribute that is compared for equality.
var ageModel = ModelText("m.conf", modelText("sub, obj, act, age", "sub, obj, act, age", "g = _, _", someAllow,
	"g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.age == p.age"))

func TestValuesThatDoNotReadAsTheirTypeAreRefused(t *testing.T) {
	a := open(t, ageModel, "p, erin, /a, GET, 9\n", WithClaimAttribute("age", "age"), WithAttributeType("age", Number))
	for _, age := range []any{"nine", "", "09", true, "9 ", 1e300} {
		if d := decide(t, a, claiming(t, map[string]any{"age": age}), to("GET", "/a")); d.Allowed || d.Reason != ReasonBadAttribute {
			t.Errorf("%v: %+v", age, d)
		}
	}
	if d := decide(t, a, claiming(t, nil), to("GET", "/a")); d.Allowed || d.Reason != ReasonNoAttribute {
		t.Errorf("missing: %+v", d)
	}
	if d, err := a.Enforce(context.Background(), "erin", "/a", "GET", "nine"); err == nil || d.Allowed {
		t.Errorf("Enforce: %+v, %v", d, err)
	}
	e, err := a.Explain(context.Background(), claiming(t, map[string]any{"age": "nine"}), to("GET", "/a"))
	if err != nil || e.Allowed || e.Reason != ReasonBadAttribute || !strings.Contains(e.Why, "is not a number") || strings.Contains(e.Why, "nine") {
		t.Errorf("explained: %+v, %v", e, err)
	}
}
