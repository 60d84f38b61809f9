package policygen

import (
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// TypedField is a field of requests, or of the policy only, that has a type. Values
// are those in requests, nil if requests lack the field; Rules are those in the
// policy.
type TypedField struct {
	Name          string
	Kind          model.AttributeType
	Values, Rules []string
}

func (f Family) rulesOf(field string) []string {
	for _, t := range f.Typed {
		if t.Name == field {
			return t.Rules
		}
	}
	return nil
}

// oracleValue returns a request's value as Casbin compares it: a number, or the text
// itself if a function of the oracle parses it.
func (f TypedField) oracleValue(text string) any {
	if f.Kind == model.Number {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(err)
		}
		return n
	}
	return text
}

var (
	ages      = []string{"9", "17", "17.5", "18", "18.0", "100", "-3", "0", "-0", "0.1"}
	hours     = []string{"00:00", "08:00", "08:00:01", "09:00", "17:59:59", "18:00", "23:59", "24:00"}
	days      = []string{"2025-12-31", "2026-01-01", "2026-02-28", "2026-03-01", "1999-12-31"}
	addresses = []string{"10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "192.0.2.7", "2001:db8::1", "2001:DB8:0:0::1"}
	networks  = []string{"10.0.0.0/8", "::ffff:10.0.0.0/104", "10.0.0.1", "0.0.0.0/0", "::/0", "2001:db8::/32", "::ffff:0:0/90"}
)

// TypedFamilies are models with typed attributes and policy fields, and some with
// names that look like patterns.
func TypedFamilies() []Family {
	rbac := "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && " + AnyAction + " && "
	acl := "g(r.sub, p.sub) && r.obj == p.obj && " + AnyAction + " && "
	// typed returns a family whose CasbinText has the second condition in place of
	// the first.
	typed := func(name, r, p, effect, before, ours, casbins string, fields ...TypedField) Family {
		request, policy := PlainRequest+r, "sub, obj, act"+p
		f := Family{Name: name, Fields: strings.Split(policy, ", "), Roles: 2, Objects: paths2, Actions: StarActions, TokenRoles: true, Typed: fields,
			Text:       ModelText(request, policy, "g = _, _", effect, before+ours),
			CasbinText: ModelText(request, policy, "g = _, _", effect, before+casbins)}
		if before == acl {
			f.Objects = PlainObjects
		}
		return f
	}
	age := TypedField{"age", model.Number, ages, ages}
	min, max := TypedField{"min", model.Number, nil, ages}, TypedField{"max", model.Number, nil, ages}
	from, to := TypedField{"from", model.TimeOfDay, nil, hours}, TypedField{"to", model.TimeOfDay, nil, hours}
	now, day, ip := TypedField{"now", model.TimeOfDay, hours, hours}, TypedField{"day", model.Date, days, days}, TypedField{"ip", model.IPAddress, addresses, addresses}
	all := []Family{
		typed("number at least", ", age", ", min", SomeAllow, rbac, "r.age >= p.min", "r.age >= num(p.min)", age, min),
		typed("number between", ", age", ", min, max, eft", AllowAndDeny, rbac, "p.min <= r.age && r.age < p.max", "num(p.min) <= r.age && r.age < num(p.max)", age, min, max),
		typed("number equal", ", age", ", age, eft", FirstMatch, rbac, "r.age == p.age", "r.age == num(p.age)", age),
		typed("number unequal", ", age", ", age, eft", AllowAndDeny, rbac, "(r.age != p.age || !(r.age > 17.5))", "(r.age != num(p.age) || !(r.age > 17.5))", age),
		typed("number and literals", ", age", "", SomeAllow, rbac, "(r.age >= 18 || r.age == -3 || r.age == 0)", "(r.age >= 18 || r.age == -3 || r.age == 0)", age),
		typed("number or any", ", age", ", min, eft", AllowAndDeny, rbac, `(p.min == "*" || r.age > p.min)`, `(p.min == "*" || r.age > num(p.min))`,
			age, TypedField{"min", model.Number, nil, append([]string{"*"}, ages...)}),
		typed("number in a list", ", age", ", min", SomeAllow, rbac, "r.age in (p.min, 18, 100)", "r.age in (num(p.min), 18, 100)", age, min),
		typed("number computed", ", age", ", min", SomeAllow, rbac, "r.age + 1 >= p.min && p.min - r.age < 50 * 2", "r.age + 1 >= num(p.min) && num(p.min) - r.age < 50 * 2", age, min),
		typed("number through a field", ", age", ", min, max", SomeAllow, rbac, "r.age >= p.min && p.max > p.min", "r.age >= num(p.min) && num(p.max) > num(p.min)", age, min, max),
		typed("number and a function", ", age", ", min", SomeAllow, acl, "within(r.obj, p.obj) && (r.age >= p.min ? true : r.age == 9)", "within(r.obj, p.obj) && (r.age >= num(p.min) ? true : r.age == 9)", age, min),
		typed("time between", ", now", ", from, to", SomeAllow, rbac, "r.now >= p.from && r.now < p.to", "clock(r.now) >= clock(p.from) && clock(r.now) < clock(p.to)", now, from, to),
		typed("time and a literal", ", now", ", now, eft", AllowAndDeny, acl, `within(r.obj, "/") && (r.now <= "08:00" || r.now == p.now)`, `within(r.obj, "/") && (clock(r.now) <= clock("08:00") || clock(r.now) == clock(p.now))`, now),
		typed("date until", ", day", ", day", SomeAllow, rbac, `r.day <= p.day && r.day > "1999-12-31"`, `day(r.day) <= day(p.day) && day(r.day) > day("the 1999-12-31")`, day),
		typed("date and a function", ", day", ", day", SomeAllow, acl, `within(r.obj, "/") && r.day in (p.day, "2026-03-01")`, `within(r.obj, "/") && day(r.day) in (day(p.day), day("the 2026-03-01"))`, day),
		typed("address equal", ", ip", ", ip, eft", AllowAndDeny, rbac, `(r.ip == p.ip || r.ip == "2001:db8::1")`, `(host(r.ip) == host(p.ip) || host(r.ip) == host("2001:db8::1"))`, ip),
		typed("address equal and a function", ", ip", ", ip", SomeAllow, acl, `within(r.obj, "/") && r.ip == p.ip`, `within(r.obj, "/") && host(r.ip) == host(p.ip)`, ip),
		typed("address in a network", ", ip", ", net, eft", AllowAndDeny, rbac, "ipMatch(r.ip, p.net)", "ipMatch(r.ip, p.net)", ip, TypedField{"net", model.Text, nil, networks}),
		typed("all of them", ", age, now, day, ip", ", min, from, day, net", SomeAllow, rbac, `r.age >= p.min && r.now >= p.from && (r.day == p.day || ipMatch(r.ip, p.net))`,
			`r.age >= num(p.min) && clock(r.now) >= clock(p.from) && (day(r.day) == day(p.day) || ipMatch(r.ip, p.net))`,
			age, now, day, ip, min, from, TypedField{"net", model.Text, nil, networks}),
	}
	// Names that look like patterns but are not. A star in a name is an error,
	// except with Casbin semantics.
	names, starred := []string{"/a/:id", "{x}", "(r1)", "[r]2"}, []string{"*", "r*", "role::*", "^r.*$"}
	tenants := []string{"sub", "dom", "obj", "act"}
	tenantsMatcher := "g(r.sub, p.sub, r.dom) && r.dom == p.dom && keyMatch2(r.obj, p.obj) && " + AnyAction + " && "
	for _, as := range []Family{
		{Name: "", Names: names, Tenants: []string{":t", "{t}", "(t1)"}},
		{Name: " as Casbin", Names: append(names, starred...), Tenants: []string{"*", "t*", ".*", ":t"}, AsCasbin: true},
	} {
		some := func(name, text string, g int, p []string) Family {
			return Family{Name: name + as.Name, Text: text, Fields: p, Roles: g, Objects: paths2, Actions: StarActions, TokenRoles: true,
				Names: as.Names, Tenants: as.Tenants, AsCasbin: as.AsCasbin}
		}
		age := some("typed attribute of tenants", ModelText(TenantsRequest+", age", "sub, dom, obj, act, min", "g = _, _, _", SomeAllow, tenantsMatcher+"r.age >= p.min"), 3, append(tenants, "min"))
		age.CasbinText = ModelText(TenantsRequest+", age", "sub, dom, obj, act, min", "g = _, _, _", SomeAllow, tenantsMatcher+"r.age >= num(p.min)")
		age.Typed = []TypedField{{"age", model.Number, ages, ages}, min}
		all = append(all, age,
			some("roles that look like patterns", model.Preset("rbac_deny.conf"), 2, []string{"sub", "obj", "act", "eft"}),
			some("tenants that look like patterns", model.Preset("rbac_tenants.conf"), 3, tenants))
	}
	return all
}
