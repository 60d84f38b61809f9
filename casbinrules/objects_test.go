package casbinrules_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// setsFlag is how many policies the lists are compared for, in each family.
var setsFlag = flag.Int("sets", 10, "policies, in each family, whose lists are compared with decisions")

// TestListsEqualDecisions compares the sets of objects and of subjects, filters and actions
// with Authorize, object by object and name by name.
func TestListsEqualDecisions(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	sets := *setsFlag
	if testing.Short() {
		sets = min(sets, 3)
	}
	objects, subjects, owned, families := 0, 0, 0, policygen.AllFamilies()
	for n, f := range families {
		t.Run(f.Name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, uint64(n)))
			for range sets {
				l := lists{t: t, family: f, rnd: rnd, lines: f.Policy(rnd)}
				for i, line := range l.lines {
					if rnd.IntN(8) == 0 { // what HEAD gets and is denied is then asked of both
						l.lines[i] = strings.Replace(line, ", GET", ", HEAD", 1)
					}
				}
				l.compare()
				objects, subjects, owned = objects+l.objects, subjects+l.subjects, owned+l.owned
			}
		})
	}
	t.Logf("%d sets of objects, %d of subjects", objects, subjects)
	// Few families have owners, so the number of their objects varies more.
	if least := 15 * sets; objects < least || subjects < least || owned < sets {
		t.Errorf("%d sets of objects and %d of subjects could be made, want %d each, and %d objects with an owner were allowed, want %d", objects, subjects, least, owned, sets)
	}
}

// lists are the lists of one policy.
type lists struct {
	t      *testing.T
	family policygen.Family
	rnd    *rand.Rand
	lines  []string
	a      *casbinrules.Authorizer
	// objects and subjects are the sets that could be made, owned the allowed objects among
	// those with an owner.
	objects, subjects, owned int
	// rolePrefix stands in front of a role's name in the policy.
	rolePrefix string
}

// asked are the objects to try, some of which are in no rule.
var asked = slices.Concat(policygen.AskedObjects, []string{"", "/", "/b", "/c", "/a/x", "/b/2", "/b/2/", "group1", "group2", "/a\xff", "/a1", "/aa", "/x/2/c"})

func (l *lists) compare() {
	t := l.t
	opts := append(bridgetest.Options(l.family), casbinrules.WithAnonymous())
	if l.rnd.IntN(4) == 0 {
		l.rolePrefix = "r"
		opts = append(opts, casbinrules.WithRolePrefix(l.rolePrefix))
	}
	var err error
	files := fstest.MapFS{"policy.csv": {Data: []byte(strings.Join(l.lines, "\n"))}}
	if l.a, err = casbinrules.OpenFS(files, casbinrules.ModelText("model.conf", l.family.Text), []string{"policy.csv"}, opts...); err != nil {
		var findings *casbinrules.FindingsError
		if errors.As(err, &findings) {
			return // one option too many for this policy
		}
		t.Fatal(err)
	}
	for range 4 {
		p, err := l.family.Principal(l.rnd)
		if err != nil {
			t.Fatal(err)
		}
		switch l.rnd.IntN(8) {
		case 0:
			p = nil
		case 1, 2, 3: // the ID is often the name of a role
			p, err = core.NewPrincipal(core.PrincipalInfo{
				ID: policygen.Pick(l.rnd, []string{"r0", "r1", "r2"}), Tenant: p.Tenant(), Roles: slices.Collect(p.CredentialRoles()),
				Claims: map[string]any{"region": "eu"},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, action := range []string{"GET", "HEAD", "POST", "PURGE"} {
			l.compareObjects(p, casbinrules.Action{Name: action})
		}
	}
	for _, object := range []string{policygen.Pick(l.rnd, asked), policygen.Pick(l.rnd, asked)} {
		l.compareSubjects(policygen.Pick(l.rnd, []string{"t1", "t2", "t3"}), object, policygen.Pick(l.rnd, []string{"GET", "HEAD", "POST"}))
	}
}

// authorize returns the decision that a gate would get.
func (l *lists) authorize(p *core.Principal, action, object string) bool {
	l.t.Helper()
	access := core.Access{Action: action, Resource: core.Resource{Name: object}}
	var d core.Decision
	var err error
	if p == nil {
		d, err = l.a.AuthorizeAnonymous(l.t.Context(), access)
	} else {
		d, err = l.a.Authorize(l.t.Context(), p, access)
	}
	if err != nil {
		l.t.Fatalf("%s %s: %v", action, object, err)
	}
	return d.Allowed
}

func (l *lists) compareObjects(p *core.Principal, action casbinrules.Action) {
	t := l.t
	var allowed []string
	for _, object := range asked {
		if l.authorize(p, action.Name, object) {
			allowed = append(allowed, object)
		}
	}
	var unlistable *casbinrules.UnlistableError
	filtered, err := l.a.Filter(t.Context(), p, action, asked)
	if owner := l.family.Owner; errors.As(err, &unlistable) != owner || !owner && err != nil || !slices.Equal(filtered, allowed) {
		l.fail("%s: filtered %q, %v, want %q", action.Name, filtered, err, allowed)
	}
	set, err := l.a.Objects(t.Context(), p, action)
	if errors.As(err, &unlistable) {
		return
	}
	if err != nil {
		l.fail("%v", err)
	}
	l.objects++
	if l.family.Owner && p != nil {
		l.compareOwned(set, p, action)
		return
	}
	var contained []string
	for _, object := range asked {
		ok, err := set.Contains(object)
		if err != nil {
			l.fail("%q: %v", object, err)
		}
		if !readDifferently(object) && set.Condition().Holds(object, nil) != ok {
			l.fail("%s by %v: %q contained: %v, but not by condition %+v", action.Name, p, object, ok, set.Condition())
		}
		if ok {
			contained = append(contained, object)
		}
	}
	if !slices.Equal(contained, allowed) {
		l.fail("%s by %v: contained %q, want %q; condition %+v", action.Name, p, contained, allowed, set.Condition())
	}
	l.compareGrants(set, p, action, allowed)
}

// compareOwned checks a set whose objects have owners.
func (l *lists) compareOwned(set *casbinrules.ObjectSet, p *core.Principal, action casbinrules.Action) {
	t := l.t
	if ok, err := set.Contains("/a"); ok || !errors.As(err, new(*casbinrules.UnlistableError)) {
		l.fail("an object of nobody knows whom is contained: %v, %v", ok, err)
	}
	granted := slices.Collect(set.Grants(""))
	for _, object := range asked {
		for range 3 {
			about := map[string]string{"owner": l.family.OwnerOf(l.rnd)}
			d, err := l.a.About(about).Authorize(t.Context(), p, core.Access{Action: action.Name, Resource: core.Resource{Name: object}})
			if err != nil {
				l.fail("%v", err)
			}
			if ok, err := set.ContainsAbout(object, about); err != nil || ok != d.Allowed {
				l.fail("%s by %v: %q of %q contained: %v, %v", action.Name, p, object, about, ok, err)
			}
			if readDifferently(object) {
				continue
			}
			if set.Condition().Holds(object, about) != d.Allowed {
				l.fail("%s by %v: %q of %q allowed: %v, but not by condition %+v", action.Name, p, object, about, d.Allowed, set.Condition())
			}
			if d.Allowed && !slices.ContainsFunc(granted, func(g casbinrules.Grant) bool { return pattern.Match(g.Function, object, g.Object) }) {
				l.fail("%q of %q is allowed and not granted: %v", object, about, granted)
			}
			if d.Allowed {
				l.owned++
			}
		}
	}
}

// compareGrants checks that each allowed object has a grant, and that what is granted by
// name is allowed.
func (l *lists) compareGrants(set *casbinrules.ObjectSet, p *core.Principal, action casbinrules.Action, allowed []string) {
	grants := slices.Collect(set.Grants(""))
	if n := len(grants); n > 0 && slices.Collect(set.Grants(grants[n-1].Object)) != nil {
		l.fail("grants behind the last one, %v", grants)
	}
	for _, g := range grants {
		if g.Function == "==" && !l.authorize(p, action.Name, g.Object) {
			l.fail("%q is granted and not allowed", g.Object)
		}
	}
	for _, object := range allowed {
		if readDifferently(object) {
			continue
		}
		if !slices.ContainsFunc(grants, func(g casbinrules.Grant) bool {
			return pattern.Match(g.Function, object, g.Object)
		}) {
			l.fail("%q is allowed and not granted: %v", object, grants)
		}
	}
}

func (l *lists) compareSubjects(tenant, object, action string) {
	t := l.t
	set, err := l.a.Subjects(t.Context(), tenant, object, casbinrules.Action{Name: action})
	var unlistable *casbinrules.UnlistableError
	if errors.As(err, &unlistable) {
		return
	}
	if err != nil {
		l.fail("%v", err)
	}
	l.subjects++
	principal := func(id string, roles ...string) *core.Principal {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Roles: roles, Tenant: tenant})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	names := append([]string{"u0", "u1", "u2", "r0", "r1", "r2", "r3", "r4", "r9", "c0", "c1", "c9", "root", "ghost", "0", "1", "4", "oot"}, l.family.Names...)
	for _, name := range names {
		want := l.authorize(principal(name), action, object)
		if set.Others && l.isRole(name) {
			want = false // A user called like a role is one of the others, and not listed.
		}
		if got := slices.Contains(set.Users, name) || set.Others && !l.known(name) && !l.isRole(name); got != want {
			l.fail("%s %s in %s: user %s: %v, want %v; %+v", action, object, tenant, name, got, want, set)
		}
		want = l.authorize(principal("nobody in particular", name), action, object)
		if got := slices.Contains(set.Roles, name) || set.Others && !l.known(l.rolePrefix+name); got != want {
			l.fail("%s %s in %s: role %s: %v, want %v; %+v", action, object, tenant, name, got, want, set)
		}
	}
	if got, want := set.Others, l.authorize(principal("nobody in particular"), action, object); got != want {
		l.fail("others: %v, want %v", got, want)
	}
	if got, want := set.Anonymous, l.authorize(nil, action, object); got != want {
		l.fail("anonymous: %v, want %v", got, want)
	}
}

// readDifferently reports whether some pattern matches the object as something other than
// its characters.
func readDifferently(object string) bool {
	return strings.ContainsAny(object, "\n?") || !utf8.ValidString(object)
}

// isRole reports whether the name is that of a role.
func (l *lists) isRole(name string) bool {
	if l.rolePrefix != "" && strings.HasPrefix(name, l.rolePrefix) {
		return true
	}
	return l.family.DefaultRole != "" && strings.HasSuffix(name, l.family.DefaultRole) || slices.ContainsFunc(l.lines, func(line string) bool {
		fields := strings.Split(line, ", ")
		return fields[0] == "g" && fields[2] == name
	})
}

// known reports whether the policy has the name.
func (l *lists) known(name string) bool {
	return slices.ContainsFunc(l.lines, func(line string) bool { return slices.Contains(strings.Split(line, ", ")[1:], name) })
}

func (l *lists) fail(format string, args ...any) {
	l.t.Helper()
	l.t.Fatalf(format+"\n%s\n%s", append(args, l.family.Text, strings.Join(l.lines, "\n"))...)
}

// TestSubjectsOfWhatEverybodyMay: a rule for everyone lists no one by name.
func TestSubjectsOfWhatEverybodyMay(t *testing.T) {
	text := policygen.ModelText("sub, obj, act", "sub, obj, act", "g = _, _", policygen.SomeAllow,
		`g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act || r.obj == "/public"`)
	a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte("p, editor, /a, GET\ng, erin, editor\n")}},
		casbinrules.ModelText("model.conf", text), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := a.Subjects(t.Context(), "", "/public", casbinrules.Action{Name: "GET"})
	if err != nil || !set.Others || !slices.Equal(set.Users, []string{"erin"}) || !slices.Contains(set.Roles, "editor") {
		t.Errorf("%+v %v", set, err)
	}
	if set, err = a.Subjects(t.Context(), "", "/a", casbinrules.Action{Name: "GET"}); err != nil || set.Others || !slices.Equal(set.Users, []string{"erin"}) {
		t.Errorf("%+v %v", set, err)
	}
}

// TestListsOfWhatEveryRuleDecides: an object that the matcher names is decided by every
// rule, so one that denies something else takes it from all lists.
func TestListsOfWhatEveryRuleDecides(t *testing.T) {
	text := policygen.ModelText("sub, obj, act", "sub, obj, act, eft", "g = _, _", policygen.AllowAndDeny,
		`g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act || r.obj == "/public"`)
	get := casbinrules.Action{Name: "GET"}
	erin, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	for denies, want := range map[string]bool{"": true, "p, dora, /b, GET, deny\n": false} {
		a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte("p, erin, /a, GET, allow\n" + denies)}},
			casbinrules.ModelText("model.conf", text), []string{"policy.csv"})
		if err != nil {
			t.Fatal(err)
		}
		set, err := a.Objects(t.Context(), erin, get)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := set.Contains("/public"); err != nil || got != want || set.Condition().Holds("/public", nil) != want {
			t.Errorf("%q: contained %v, %v; condition %+v", denies, got, err, set.Condition())
		}
		if got, err := set.Contains("/a"); err != nil || !got {
			t.Errorf("%q: /a %v, %v", denies, got, err)
		}
	}
}

// TestListsOfActionsThatAreNoMethods: "*" stands for a named action and for no unusual
// method.
func TestListsOfActionsThatAreNoMethods(t *testing.T) {
	a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte("p, ann, /a, *\n")}}, casbinrules.RBAC(), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	ann, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	for action, want := range map[casbinrules.Action]bool{{Name: "approve", Named: true}: true, {Name: "PURGE"}: false} {
		set, err := a.Objects(t.Context(), ann, action)
		if err != nil {
			t.Fatal(err)
		}
		contained, err := set.Contains("/a")
		if err != nil || contained != want || set.Condition().Holds("/a", nil) != want {
			t.Errorf("%+v: contained %v, %v; condition %+v", action, contained, err, set.Condition())
		}
		if got, err := a.Filter(t.Context(), ann, action, []string{"/a"}); err != nil || len(got) == 1 != want {
			t.Errorf("%+v: filtered %q, %v", action, got, err)
		}
		if got, err := a.Subjects(t.Context(), "", "/a", action); err != nil || slices.Contains(got.Users, "ann") != want {
			t.Errorf("%+v: subjects %+v, %v", action, got, err)
		}
	}
}

// TestListsOfWhoIsRefusedAll: a list says why it is empty, and a call that has been given
// up makes none.
func TestListsOfWhoIsRefusedAll(t *testing.T) {
	a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte("p, ann, t1, /a, GET\n")}}, casbinrules.RBACWithTenants(), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	get := casbinrules.Action{Name: "GET"}
	for tenant, want := range map[string]core.Reason{"": casbinrules.ReasonNoTenant, "t2": casbinrules.ReasonNoRule} {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann", Tenant: tenant})
		if err != nil {
			t.Fatal(err)
		}
		if set, err := a.Objects(t.Context(), p, get); err != nil || set.Reason != want || set.Condition().Kind != casbinrules.ConditionNone {
			t.Errorf("in tenant %q: %+v, %v", tenant, set, err)
		}
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann", Tenant: "t1"})
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if set, err := a.Objects(gone, p, get); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller has gone: %+v, %v", set, err)
	}
}

// TestSubjectsWithoutRolesOfCredentials: roles that have no effect are not listed, and the
// default role is looked for in the matcher, too.
func TestSubjectsWithoutRolesOfCredentials(t *testing.T) {
	text := policygen.ModelText("sub, obj, act", "sub, obj, act", "g = _, _", policygen.SomeAllow,
		`g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act || g(r.sub, "reader") && r.obj == "/open"`)
	open := func(opts ...casbinrules.Option) *casbinrules.Authorizer {
		t.Helper()
		a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte("p, editor, /a, GET\np, bob, /b, GET\n")}}, casbinrules.ModelText("model.conf", text), []string{"policy.csv"}, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	get := casbinrules.Action{Name: "GET"}
	if set, err := open(casbinrules.WithoutTokenRoles()).Subjects(t.Context(), "", "/a", get); err != nil || !slices.Equal(set.Users, []string{"editor"}) || set.Roles != nil {
		t.Errorf("without roles: %+v, %v", set, err)
	}
	if set, err := open(casbinrules.WithDefaultRole("reader")).Subjects(t.Context(), "", "/open", get); err != nil || !set.Others || !slices.Contains(set.Users, "bob") {
		t.Errorf("with a default role: %+v, %v", set, err)
	}
	if set, err := open().Subjects(t.Context(), "", "/a", get); err != nil || !slices.Equal(set.Roles, []string{"editor"}) {
		t.Errorf("with roles: %+v, %v", set, err)
	}
}

// TestWhatListsMustNotLeaveOut: conditions that no list of names can express, and what SQL
// has to exclude for them.
func TestWhatListsMustNotLeaveOut(t *testing.T) {
	open := func(roles, matcher, policy string) *casbinrules.Authorizer {
		t.Helper()
		a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(policy)}}, casbinrules.ModelText("model.conf",
			policygen.ModelText("sub, obj, act", "sub, obj, act", roles, policygen.SomeAllow, matcher)), []string{"policy.csv"}, casbinrules.WithoutTokenRoles())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	alice, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	get := casbinrules.Action{Name: "GET"}
	banned := open("g = _, _\ng2 = _, _, _", `g(r.sub, p.sub) && r.sub == p.sub && keyMatch(r.obj, p.obj) && r.act == p.act && !g2(r.sub, "banned", r.obj)`, "p, alice, repo*, GET\ng2, alice, banned, repo1\n")
	var unlistable *casbinrules.UnlistableError
	if set, err := banned.Objects(t.Context(), alice, get); !errors.As(err, &unlistable) {
		t.Errorf("roles in the object as a tenant: %+v, %v", set, err)
	}
	if got, err := banned.Filter(t.Context(), alice, get, []string{"repo1", "repo2"}); err != nil || !slices.Equal(got, []string{"repo2"}) {
		t.Errorf("filtered %q, %v", got, err)
	}
	private := open("", `r.sub == p.sub && keyMatch(r.obj, p.obj) && r.act == p.act && !keyMatch5(r.obj, "/private")`, "p, alice, /*, GET\n")
	set, err := private.Objects(t.Context(), alice, get)
	if err != nil {
		t.Fatal(err)
	}
	if text, _, err := set.SQL("path", nil); err == nil {
		t.Errorf("without placeholders: %s", text)
	}
	if text, _, err := set.SQL("path", casbinrules.QuestionMark); err != nil || !strings.Contains(text, "chr(63)") || strings.Contains(text, "'?'") {
		t.Errorf("%s, %v: objects with a question mark must be left out, and without a placeholder for it", text, err)
	}
	escaped := open("", `r.sub == p.sub && keyMatch2(r.obj, p.obj) && r.act == p.act`, "p, alice, /v1\\.2-b/:id, GET\n")
	if set, err = escaped.Objects(t.Context(), alice, get); err != nil {
		t.Fatal(err)
	}
	if _, args, err := set.SQL("path", casbinrules.Dollar); err != nil || !slices.Equal(args, []any{`^/v1\.2\-b/[^/]+$`}) {
		t.Errorf("a dot that is meant: %q, %v", args, err)
	}
	regexps := open("", `r.sub == p.sub && regexMatch(r.obj, p.obj) && r.act == p.act`, "p, alice, ^/a.*$, GET\n")
	if set, err = regexps.Objects(t.Context(), alice, get); err != nil {
		t.Fatal(err)
	}
	if text, _, err := set.SQL("path", casbinrules.Dollar); err == nil || text != "" || !strings.Contains(err.Error(), "policy.csv:1") {
		t.Errorf("a regular expression: %q, %v", text, err)
	}
}
