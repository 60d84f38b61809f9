package policygen

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// windows are starts and ends of role links: before, around and after any time at
// which tests run.
var windows = []string{
	"_, _", "2000-01-01 00:00:00, _", "_, 2999-12-31 00:00:00", "2000-01-01 00:00:00, 2999-12-31 23:59:59.5",
	"_, 2001-02-03 04:05:06", "2000-01-01 00:00:00, 2001-02-03 04:05:06", "2999-01-01 00:00:00, _", "2999-01-01 00:00:00, 2999-12-31 00:00:00", "_, 0000-01-02 00:00:00",
}

// conditions are the fields of links with a condition, those that always count first.
var conditions = []string{"_, _", "yes, a", "yes, _", "no, a", "_, a", "no, _", "yes, b"}

// Holds is the condition of links: the first field must be "yes". Casbin is given
// "_" for a link that always counts, such as one to a role of the credentials.
func Holds(fields ...string) (bool, error) {
	return fields[0] == "yes" || fields[0] == "_" && fields[1] == "_", nil
}

// withTimes adds a start and an end to the role links among lines, and drops
// repeated links. In a family with tenants only the links of users end, because
// Casbin ignores the times of others.
func (f Family) withTimes(rnd *rand.Rand, lines []string) []string {
	from := windows
	if f.Conditions {
		from = conditions
	}
	seen := map[string]bool{}
	var timed []string
	for _, line := range lines {
		kind, fields, _ := strings.Cut(line, ", ")
		if !slices.Contains(f.Timed, kind) {
			timed = append(timed, line)
			continue
		}
		window := Pick(rnd, from)
		if f.Roles == 3 && kind == "g" && fields[0] != 'u' {
			window = from[0]
		}
		if !seen[line] {
			seen[line] = true
			timed = append(timed, line+", "+window)
		}
	}
	return timed
}

// TimedFamilies are models whose role links have a start and an end.
func TimedFamilies() []Family {
	soa := []string{"sub", "obj", "act"}
	rbac := "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && " + AnyAction
	return []Family{
		{Name: "roles with an end", Text: ModelText(PlainRequest, "sub, obj, act, eft", "g = _, _, (_, _)", AllowAndDeny, rbac),
			Fields: append(slices.Clone(soa), "eft"), Roles: 2, Objects: paths2, Actions: StarActions, TokenRoles: true, Timed: []string{"g"}},
		{Name: "roles with an end, and one that the matcher names", Text: ModelText(PlainRequest, "sub, obj, act", "g = _, _, (_, _)", SomeAllow, `g(r.sub, p.sub) && !g(r.sub, "r3") && r.obj == p.obj && r.act == p.act`),
			Fields: soa, Roles: 2, Objects: PlainObjects, Actions: PlainActions, TokenRoles: true, Timed: []string{"g"}},
		{Name: "roles with an end in tenants", Text: strings.Replace(model.Preset("rbac_tenants.conf"), "g = _, _, _", "g = _, _, _, (_, _)", 1),
			Fields: []string{"sub", "dom", "obj", "act"}, Roles: 3, Objects: paths2, Actions: StarActions, TokenRoles: true, Timed: []string{"g"}},
		{Name: "roles with an end in tenants, and denials", Text: ModelText("sub, dom, obj, act", "sub, dom, obj, act, eft", "g = _, _, _, (_, _)", AllowAndDeny, "g(r.sub, p.sub, r.dom) && r.dom == p.dom && keyMatch2(r.obj, p.obj) && "+AnyAction),
			Fields: []string{"sub", "dom", "obj", "act", "eft"}, Roles: 3, Objects: paths2, Actions: StarActions, TokenRoles: true, Timed: []string{"g"}},
		{Name: "resource roles with an end", Text: ModelText(PlainRequest, "sub, obj, act", "g = _, _\ng2 = _, _, (_, _)", SomeAllow, "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act"),
			Fields: soa, Roles: 2, ResourceRoles: true, Objects: []string{"/a", "/b", "group1", "group2"}, Actions: PlainActions, TokenRoles: true, Timed: []string{"g2"}},
		{Name: "roles with an end left to Casbin", Text: ModelText(PlainRequest, "sub, obj, act", "g = _, _, (_, _)", SomeAllow, "g(r.sub, p.sub) && within(r.obj, p.obj) && "+AnyAction),
			Fields: soa, Roles: 2, Objects: PlainObjects, Actions: StarActions, TokenRoles: true, Timed: []string{"g"}},
	}
}

// ConditionFamilies are TimedFamilies with conditions in place of times.
func ConditionFamilies() []Family {
	families := TimedFamilies()
	for i := range families {
		f := &families[i]
		f.Name, f.Conditions = strings.ReplaceAll(f.Name, "an end", "a condition"), true
	}
	return families
}

// AllFamilies returns the families of all kinds.
func AllFamilies() []Family {
	return slices.Concat(Families(), WideFamilies(), TypedFamilies(), PatternFamilies(), TimedFamilies(), ConditionFamilies())
}
