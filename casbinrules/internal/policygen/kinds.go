package policygen

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// Definitions of models.
const (
	SomeAllow      = "some(where (p.eft == allow))"
	AllowAndDeny   = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
	FirstMatch     = "priority(p.eft) || deny"
	SubjectFirst   = "subjectPriority(p.eft) || deny"
	AnyAction      = `(p.act == "*" || r.act == p.act)`
	PlainRequest   = "sub, obj, act"
	TenantsRequest = "sub, dom, obj, act"
)

// Values in policies and requests.
var (
	PlainObjects = []string{"/a", "/b", "/a/1", "/b/2/c"}
	paths2       = []string{"/*", "/a", "/a/:id", "/b/*", "/:x/2/c", "/a.1"}
	paths3       = []string{"/*", "/a", "/a/{id}", "/b/*", "/{x}/2/c"}
	paths4       = []string{"/*", "/a/{x}", "/{x}/{x}", "/{x}/{y}"}
	globs        = []string{"/**", "/a", "/a/*", "/b/*/c", "/[ab]", "/a/**", "/**/c", "/b/**/c", "/*/[!2-9]", "/?", "/b/2/*", "*", "**", "/a*/1", "/b/", "/b*/**"}
	regexps      = []string{"^/a", "/[ab]$", ".", `^/a/\d+$`}
	PlainActions = []string{"GET", "POST", "DELETE"}
	StarActions  = []string{"GET", "POST", "*"}
	regexpActs   = []string{"^(GET|POST)$", "GET", ".*", "POST|DELETE"}
)

// Families are the kinds of models that Casbin documents.
func Families() []Family {
	rbac := func(object string) string { return "g(r.sub, p.sub) && " + object + " && " + AnyAction }
	soa := []string{"sub", "obj", "act"}
	soae := append(slices.Clone(soa), "eft")
	all := []Family{
		{Name: "ACL", Text: ModelText(PlainRequest, "sub, obj, act", "", SomeAllow, "r.sub == p.sub && r.obj == p.obj && r.act == p.act"),
			Fields: soa, Objects: PlainObjects, Actions: PlainActions},
		{Name: "ACL with root", Text: ModelText(PlainRequest, "sub, obj, act", "", SomeAllow, `r.sub == p.sub && r.obj == p.obj && r.act == p.act || r.sub == "root"`),
			Fields: soa, Objects: PlainObjects, Actions: PlainActions},
		{Name: "RBAC", Text: model.Preset("rbac.conf"), Fields: soa, Roles: 2, Objects: paths2, Actions: StarActions},
		{Name: "RBAC with root", Text: ModelText(PlainRequest, "sub, obj, act", "g = _, _", AllowAndDeny, rbac("keyMatch(r.obj, p.obj)")+` || r.sub == 'root'`),
			Fields: soa, Roles: 2, Objects: paths2, Actions: StarActions},
		{Name: "RBAC with root and denies", Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _", AllowAndDeny, rbac("keyMatch(r.obj, p.obj)")+` || r.sub == 'root'`),
			Fields: soae, Roles: 2, Objects: paths2, Actions: StarActions},
		{Name: "an object for everybody", Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _", AllowAndDeny, `(g(r.sub, p.sub) || r.obj == "/a") && (p.obj == "*" || r.obj == p.obj) && `+AnyAction),
			Fields: soae, Roles: 2, Objects: append([]string{"*"}, PlainObjects...), Actions: StarActions},
		{Name: "two fields for one", Text: ModelText(PlainRequest, "sub, obj, act, priority", "", SomeAllow, `(r.sub == p.sub || r.sub == p.priority) && (r.obj == p.obj || r.obj == p.priority) && `+AnyAction),
			Fields: append(slices.Clone(soa), "priority"), Objects: PlainObjects, Actions: StarActions},
		{Name: "RBAC with direct and denied role", Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _", AllowAndDeny, `(r.sub == p.sub || g(r.sub, p.sub)) && !g (r.sub, "r3") && r.obj == p.obj && r.act == p.act`),
			Fields: soae, Roles: 2, Objects: PlainObjects, Actions: PlainActions},
		{Name: "deny", Text: model.Preset("rbac_deny.conf"), Fields: soae, Roles: 2, Objects: paths2, Actions: StarActions},
		{Name: "tenants", Text: model.Preset("rbac_tenants.conf"), Fields: []string{"sub", "dom", "obj", "act"}, Roles: 3, Objects: paths2, Actions: StarActions},
		{Name: "tenants of the rule", Text: ModelText(TenantsRequest, "sub, dom, obj, act, eft", "g = _, _, _", AllowAndDeny, `g(r.sub, p.sub, p.dom) && (r.dom == p.dom || p.dom == "t2") && r.obj == p.obj && r.act == p.act`),
			Fields: []string{"sub", "dom", "obj", "act", "eft"}, Roles: 3, Objects: PlainObjects, Actions: PlainActions},
		{Name: "a tenant for all", Text: ModelText(TenantsRequest, "sub, dom, obj, act, eft", "g = _, _, _", AllowAndDeny, `g(r.sub, p.sub, r.dom) && (r.dom == p.dom || p.dom == "t2") && keyMatch2(r.obj, p.obj) && `+AnyAction),
			Fields: []string{"sub", "dom", "obj", "act", "eft"}, Roles: 3, Objects: paths2, Actions: StarActions},
		{Name: "priority by order", Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _", FirstMatch, rbac("keyMatch2(r.obj, p.obj)")),
			Fields: soae, Roles: 2, Objects: paths2, Actions: StarActions},
		{Name: "priority by field", Text: ModelText("act, obj, sub", "priority, sub, obj, act, eft", "g = _, _", FirstMatch, rbac("keyMatch2(r.obj, p.obj)")),
			Fields: append([]string{"priority"}, soae...), Roles: 2, Objects: paths2, Actions: StarActions},
		{Name: "resource roles", Text: ModelText(PlainRequest, "sub, obj, act", "g = _, _\ng2 = _, _", SomeAllow, "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act"),
			Fields: soa, Roles: 2, ResourceRoles: true, Objects: []string{"/a", "/b", "group1", "group2"}, Actions: PlainActions},
		{Name: "regexp actions", Text: ModelText(PlainRequest, "sub, obj, act", "g = _, _", SomeAllow, "g(r.sub, p.sub) && regexMatch(r.obj, p.obj) && regexMatch(r.act, p.act)"),
			Fields: soa, Roles: 2, Objects: regexps, Actions: regexpActs},
	}
	for i, objects := range [][]string{paths2, paths2, paths3, paths4, paths3, globs} {
		fn := []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch"}[i]
		all = append(all, Family{Name: fn, Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _", AllowAndDeny, rbac(fn+"(r.obj, p.obj)")),
			Fields: soae, Roles: 2, Objects: objects, Actions: StarActions})
	}
	all = append(all,
		Family{Name: "default role", Text: model.Preset("rbac_deny.conf"), Fields: soae, Roles: 2, Objects: paths2, Actions: StarActions, DefaultRole: "r2"},
		Family{Name: "default role in tenants", Text: model.Preset("rbac_tenants.conf"), Fields: []string{"sub", "dom", "obj", "act"}, Roles: 3, Objects: paths2, Actions: StarActions, DefaultRole: "r1"})
	for i := range all {
		all[i].TokenRoles = true
	}
	return append(all, Family{Name: "subject priority", Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _", SubjectFirst, rbac("keyMatch2(r.obj, p.obj)")),
		Fields: soae, Roles: 2, Objects: paths2, Actions: StarActions})
}

// WideFamilies are models with attributes, functions of the application and other
// features of matchers.
func WideFamilies() []Family {
	soa := []string{"sub", "obj", "act"}
	soar, soaer := append(slices.Clone(soa), "region"), append(slices.Clone(soa), "eft", "region")
	const request = "sub, obj, act, region"
	const owned = "sub, obj, act, owner"
	paths := " && keyMatch2(r.obj, p.obj) && " + AnyAction
	return []Family{
		{Name: "owner by a subject of rules", Text: ModelText(owned, "sub, obj, act, eft", "g = _, _", AllowAndDeny, `p.sub != "owner" && g(r.sub, p.sub)`+paths+` || p.sub == "owner" && r.sub == r.owner`+paths),
			Fields: append(slices.Clone(soa), "eft"), Roles: 2, Objects: paths2, Actions: StarActions, TokenRoles: true, Names: []string{"owner"}, Owner: true},
		{Name: "owner whatever rules say", Text: ModelText(owned, "sub, obj, act", "g = _, _", SomeAllow, `r.sub == r.owner || g(r.sub, p.sub)`+paths),
			Fields: soa, Roles: 2, Objects: paths2, Actions: StarActions, TokenRoles: true, Owner: true},
		{Name: "owner who must not", Text: ModelText(owned, "sub, obj, act", "g = _, _", SomeAllow, `g(r.sub, p.sub)`+paths+` && r.sub != r.owner`),
			Fields: soa, Roles: 2, Objects: paths2, Actions: StarActions, TokenRoles: true, Owner: true},
		{Name: "attribute", Text: ModelText(request, "sub, obj, act, region", "g = _, _", SomeAllow, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && "+AnyAction+" && r.region == p.region"),
			Fields: soar, Roles: 2, Objects: paths2, Actions: StarActions, TokenRoles: true, Region: true},
		{Name: "attribute in a condition", Text: ModelText(request, "sub, obj, act, eft, region", "g = _, _", AllowAndDeny, `g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && `+AnyAction+` && (r.region == p.region || p.region == "us" && r.region != "" && !g(r.sub, "r3"))`),
			Fields: soaer, Roles: 2, Objects: paths2, Actions: StarActions, TokenRoles: true, Region: true},
		{Name: "attribute in a list", Text: ModelText(request, "sub, obj, act, eft, region", "g = _, _", FirstMatch, `g(r.sub, p.sub) && r.obj == p.obj && `+AnyAction+` && r.region in (p.region, "us") && r.region != "x"`),
			Fields: soaer, Roles: 2, Objects: PlainObjects, Actions: StarActions, TokenRoles: true, Region: true},
		{Name: "attribute as a pattern", Text: ModelText(request, "sub, obj, act, region", "", SomeAllow, `r.sub == p.sub && keyMatch(r.obj, p.obj) && r.act == p.act && regexMatch(r.region, p.region)`),
			Fields: soar, Objects: paths2, Actions: PlainActions, TokenRoles: true, Region: true},
		{Name: "function", Text: ModelText(PlainRequest, "sub, obj, act", "g = _, _", SomeAllow, "g(r.sub, p.sub) && within(r.obj, p.obj) && "+AnyAction),
			Fields: soa, Roles: 2, Objects: PlainObjects, Actions: StarActions, TokenRoles: true},
		{Name: "function with deny", Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _", AllowAndDeny, "g(r.sub, p.sub) && (within(r.obj, p.obj) || !within(p.obj, r.obj)) && "+AnyAction),
			Fields: append(slices.Clone(soa), "eft"), Roles: 2, Objects: PlainObjects, Actions: StarActions, TokenRoles: true},
	}
}
