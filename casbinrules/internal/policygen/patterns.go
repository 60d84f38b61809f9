package policygen

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// withoutPatterns returns the names that are not patterns, which credentials may
// carry.
func withoutPatterns(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.ContainsAny(name, "*?.:|^$[]{}()") })
}

// PatternFamilies are models in which names or tenants of role links are patterns.
func PatternFamilies() []Family {
	soa := []string{"sub", "obj", "act"}
	soae := append(slices.Clone(soa), "eft")
	sdoa := []string{"sub", "dom", "obj", "act"}
	rbac := func(tenants, object string) string {
		return "g(r.sub, p.sub" + tenants + ") && " + object + " && " + AnyAction
	}
	var all []Family
	for _, p := range []struct {
		function string
		linked   []string
	}{
		{"keyMatch", []string{"u0", "u1", "u*", "ghost", "*", "c0", "r0", "c*", "r1", "r1*", "r2", "r3", "r*", "r4", "r5"}},
		{"keyMatch2", []string{"u0", "u1", "u:id", "ghost", "c.", "r0", "(u|c)0", "r1", "r:n", "r2", "r[23]", "r4", "r5"}},
		{"keyMatch3", []string{"u0", "u{id}", "c{id}", "r0", "r.", "r1", "r{n}", "r2", "r4"}},
		{"keyMatch4", []string{"u0", "u{id}", "{a}{a}", "r0", "r1", "r{n}", "r2", "r4"}},
		{"globMatch", []string{"u0", "u?", "ghost", "*", "c0", "[cr]0", "r1", "r?", "r[!1]", "r4", "r5"}},
		{"regexMatch", []string{"^u", "u1", "^ghost$", "r0", "c|u0", "r1", "^r[12]$", "r2", "r4", "o.t"}},
	} {
		all = append(all, Family{Name: "role patterns by " + p.function, Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _", AllowAndDeny, rbac("", "keyMatch2(r.obj, p.obj)")),
			Fields: soae, Roles: 2, Objects: paths2, Actions: StarActions, Names: withoutPatterns(p.linked), Linked: p.linked, PatternKind: "g", RolePatterns: p.function})
	}
	wild := []string{"*", "t*", "t1*"}
	linked := []string{"u0", "u1", "c0", "r0", "r1", "r2", "r3", "r4", "r5"}
	tenants := Family{Text: model.Preset("rbac_tenants.conf"), Fields: sdoa, Roles: 3, Objects: paths2, Actions: StarActions, Linked: linked, Tenants: []string{"t12", "x"}, LinkTenants: wild, TenantPatterns: true}
	add := func(f Family, name string, change func(*Family)) {
		f.Name = name
		change(&f)
		all = append(all, f)
	}
	add(tenants, "tenant patterns", func(*Family) {})
	add(tenants, "tenant patterns of the rule", func(f *Family) {
		f.Text = ModelText(TenantsRequest, "sub, dom, obj, act, eft", "g = _, _, _", AllowAndDeny, "g(r.sub, p.sub, p.dom) && keyMatch2(r.obj, p.obj) && "+AnyAction)
		f.Fields = append(slices.Clone(sdoa), "eft")
	})
	add(tenants, "tenant patterns in the matcher", func(f *Family) {
		f.Text, f.TenantPatterns, f.Tenants = model.Preset("rbac_tenants_patterns.conf"), false, append(wild, "t12", "x")
	})
	add(tenants, "tenant and role patterns", func(f *Family) {
		f.Text = ModelText(TenantsRequest, "sub, dom, obj, act, eft", "g = _, _, _", AllowAndDeny, "keyMatch(r.dom, p.dom) && "+rbac(", r.dom", "keyMatch2(r.obj, p.obj)"))
		f.Fields, f.TenantPatterns, f.Tenants = append(slices.Clone(sdoa), "eft"), false, append(wild, "t12", "x")
		f.Linked, f.PatternKind, f.RolePatterns = all[0].Linked, "g", "keyMatch"
	})
	add(tenants, "role patterns within tenants", func(f *Family) {
		f.LinkTenants, f.TenantPatterns = nil, false
		f.Linked, f.PatternKind, f.RolePatterns = all[0].Linked, "g", "keyMatch"
	})
	all = append(all, Family{Name: "resource patterns", Text: ModelText(PlainRequest, "sub, obj, act", "g = _, _\ng2 = _, _", SomeAllow, "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act"),
		Fields: soa, Roles: 2, ResourceRoles: true, Objects: []string{"/a", "/b/:x", "group1", "group2", "group:n"}, Actions: PlainActions, PatternKind: "g2", RolePatterns: "keyMatch2"})
	for i := range all {
		all[i].TokenRoles = true
	}
	return all
}
