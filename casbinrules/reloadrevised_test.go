package casbinrules_test

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// editsFlag is how many random edits are reloaded, in each family.
var editsFlag = flag.Int("edits", 40, "random edits, in each family, after which a reload is compared with a first load; five times as many in make long")

// TestReloadsEqualFirstLoads makes random edits of policies, line by line, and compares the
// result of a reload, which reads only changed lines, with that of opening the same files:
// rules, findings, decisions with their reasons, and lists.
func TestReloadsEqualFirstLoads(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	edits := *editsFlag
	if os.Getenv("SALLYPORT_LONG") != "" {
		edits *= 5
	}
	families := policygen.AllFamilies()
	// How often only changed lines were read, by an authorizer and a linter.
	revised, linted := make([]int, len(families)), make([]int, len(families))
	t.Run("families", func(t *testing.T) {
		for n, f := range families {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				rnd := rand.New(rand.NewPCG(seed, uint64(n)))
				for done := 0; done < edits && !t.Failed(); done += 40 { // enough revisions that all rules are copied
					r := reloads{t: t, family: f, rnd: rnd}
					revised[n] += r.compare(40)
					linted[n] += r.linted
				}
			})
		}
	})
	for what, counts := range map[string][]int{"loaded": revised, "linted": linted} {
		some, all := 0, 0
		for _, count := range counts {
			all += count
			if count > edits/4 {
				some++
			}
		}
		t.Logf("of %d edits %d were %s alone", len(families)*edits, all, what)
		if some < 12 {
			t.Errorf("in %d of %d families were the edits %s alone: the cases prove little", some, len(families), what)
		}
	}
}

// TestReloadsKeepNothing reloads a policy whose rules use role links of objects again and
// again, each time with one line more. Memory must not grow with the number of reloads.
func TestReloadsKeepNothing(t *testing.T) {
	const lines, edits = 2000, 200
	model := strings.NewReplacer("g = _, _", "g = _, _\ng2 = _, _", "keyMatch2(r.obj, p.obj)", "g2(r.obj, p.obj)").Replace(casbinrules.RBAC().Text())
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "p, u%d, area%d, GET\ng2, /o%d, area%d\n", i, i, i, i)
	}
	fsys := fstest.MapFS{"policy.csv": {Data: []byte(b.String())}}
	a, err := casbinrules.OpenFS(fsys, casbinrules.ModelText("model.conf", model), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	reload := func(n int) {
		fmt.Fprintf(&b, "p, new%d, area%d, GET\n", n, n)
		fsys["policy.csv"] = &fstest.MapFile{Data: []byte(b.String())}
		if err := a.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	reload(0)
	before := live()
	for n := range edits {
		reload(n + 1)
	}
	after := live()
	if n := casbinrules.LinesEdited(a); n != edits+1 {
		t.Fatalf("%d lines were read alone, want %d: the case proves nothing", n, edits+1)
	}
	t.Logf("%d bytes before %d reloads, %d after", before, edits, after)
	if after > 2*before {
		t.Errorf("%d bytes live after %d reloads, %d before: at most twice as many", after, edits, before)
	}
}

// TestEditsAllocateLittle changes a line again and again. The memory that a reload
// allocates depends on the number of rules only through a few tables and the file.
func TestEditsAllocateLittle(t *testing.T) {
	const lines, edits, budget = 20_000, 32, 40 // bytes for each rule, beside those of the file
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "p, role%d, /data%d, GET\ng, user%d, role%d\n", i%(lines/10), i, i, i%(lines/10))
	}
	text := b.String()
	fsys := fstest.MapFS{}
	edit := func(n int) {
		fsys["policy.csv"] = &fstest.MapFile{Data: []byte(strings.Replace(text, "/data100,", fmt.Sprintf("/other%d,", n), 1))}
	}
	edit(0)
	a, err := casbinrules.OpenFS(fsys, casbinrules.RBAC(), []string{"policy.csv"}, casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	var allocated uint64
	for n := range edits {
		edit(n + 1)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := a.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		allocated += after.TotalAlloc - before.TotalAlloc
	}
	if n := casbinrules.LinesEdited(a); n != edits {
		t.Fatalf("%d lines were read alone, want %d: the case proves nothing", n, edits)
	}
	each := (int(allocated)/edits - 2*len(text)) / (2 * lines) // an fs.FS is read twice
	t.Logf("%d bytes for each rule, and %d for the file", each, len(text))
	if each > budget {
		t.Errorf("an edit allocates %d bytes for each rule beside its file, want at most %d", each, budget)
	}
}

// TestManyEditsOfOneListAreReadAnew: each edit of a list copies it, so many edits of a long
// list would take far more time and memory than a load.
func TestManyEditsOfOneListAreReadAnew(t *testing.T) {
	for _, object := range []string{"/o", "/*"} {
		lines := func(from, n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "p, u%d, %s, GET\n", from+i, object)
			}
			return b.String()
		}
		fsys := fstest.MapFS{"policy.csv": {Data: []byte(lines(0, 4000))}}
		a, err := casbinrules.OpenFS(fsys, casbinrules.RBAC(), []string{"policy.csv"})
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []struct{ from, lines, edited int }{{0, 4003, 3}, {0, 4300, 0}, {4, 4296, 4}, {300, 4000, 0}} {
			fsys["policy.csv"] = &fstest.MapFile{Data: []byte(lines(at.from, at.lines))}
			if err := a.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := casbinrules.LinesEdited(a); n != at.edited {
				t.Errorf("%s: %d lines were read alone, want %d", object, n, at.edited)
			}
		}
	}
}

// TestEditsChangeFindingsAboutOthers: an edited line changes findings about lines that stay,
// in a policy so large that only few subjects are compared again.
func TestEditsChangeFindingsAboutOthers(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "p, user%d, /data%d, GET\n", i, i)
	}
	for what, c := range map[string]struct{ before, after, code string }{
		"a role loses a method of a member":        {"p, ann, /a, PUT\np, clerk, /a, PATCH\ng, ann, clerk\n", "p, ann, /a, PUT\np, clerk, /b, PATCH\ng, ann, clerk\n", "put_without_patch"},
		"a member asks for a method of a role":     {"p, ann, /a, PUT\np, clerk, /a, PATCH\ng, ann, clerk\n", "p, ann, /b, PUT\np, clerk, /a, PATCH\ng, ann, clerk\n", "put_without_patch"},
		"a rule names a method for the first time": {"p, ann, /a, GET\n", "p, ann, /a, HEAD\n", "get_without_head"},
	} {
		fsys := fstest.MapFS{"policy.csv": {Data: []byte(b.String() + c.before)}}
		linter, err := casbinrules.NewLinter(casbinrules.RBAC(), []string{"policy.csv"})
		if err != nil {
			t.Fatal(err)
		}
		for _, end := range []string{c.after, c.before} {
			if _, err := linter.Lint(fsys); err != nil {
				t.Fatal(err)
			}
			fsys["policy.csv"] = &fstest.MapFile{Data: []byte(b.String() + end)}
			got, err := linter.Lint(fsys)
			if err != nil {
				t.Fatal(err)
			}
			want, err := casbinrules.LintFS(fsys, casbinrules.RBAC(), []string{"policy.csv"})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s:\nlinted again: %q\nfor once:     %q", what, got, want)
			}
			if is := slices.ContainsFunc(want, func(f casbinrules.Finding) bool { return f.Code == c.code && f.Severity != casbinrules.SeverityNote }); is != (end == c.after) {
				t.Errorf("%s: %s found: %v", what, c.code, is)
			}
		}
		if casbinrules.LinesLinted(linter) == 0 {
			t.Errorf("%s: no line was read alone: the case proves nothing", what)
		}
	}
}

// TestRevisionsAreRefused: an edit of one line that only a check of all rules finds wrong is
// refused, and a linter with routes compares all of them after each edit.
func TestRevisionsAreRefused(t *testing.T) {
	const good = "p, ann, /a, GET\np, ben, /b, GET\np, cleo, /c, GET\n"
	fsys := fstest.MapFS{"policy.csv": {Data: []byte(good)}}
	a, err := casbinrules.OpenFS(fsys, casbinrules.RBAC(), []string{"policy.csv"}, casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	routes := []core.RouteInfo{{Method: "GET", Pattern: "/a"}, {Method: "GET", Pattern: "/d"}}
	linter, err := casbinrules.NewLinter(casbinrules.RBAC(), []string{"policy.csv"}, casbinrules.WithRoutes(routes))
	if err != nil {
		t.Fatal(err)
	}
	for line, code := range map[string]string{"p, ben, /d, get": "method_case", "p, *, /d, GET": "literal_star", "p, ben, /d, GET": ""} {
		fsys["policy.csv"] = &fstest.MapFile{Data: []byte(good + line + "\n")}
		err := a.Reload(t.Context())
		found := findingsOf(err)
		if code != "" && (len(found) != 1 || found[0].Code != code || found[0].Line != 4) || code == "" && err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if want := map[bool]int{true: 3, false: 4}[code != ""]; len(a.Rules()) != want {
			t.Errorf("%s: %d rules are in force, want %d", line, len(a.Rules()), want)
		}
		got, err := linter.Lint(fsys)
		want, err2 := casbinrules.LintFS(fsys, casbinrules.RBAC(), []string{"policy.csv"}, casbinrules.WithRoutes(routes))
		if err != nil || err2 != nil || !slices.Equal(got, want) {
			t.Errorf("%s: linted again %q, %v; for once %q, %v", line, got, err, want, err2)
		}
		fsys["policy.csv"] = &fstest.MapFile{Data: []byte(good)}
		if err := a.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// reloads are the reloads of one policy.
type reloads struct {
	t      *testing.T
	family policygen.Family
	rnd    *rand.Rand
	files  [2][]string // lines
	opts   []casbinrules.Option
	linted int // how often a linter has read only what had changed
}

// compare makes a number of edits, and returns for how many of them only changed lines were
// read.
func (r *reloads) compare(edits int) (revised int) {
	t := r.t
	r.opts = bridgetest.Options(r.family)
	if r.rnd.IntN(2) == 0 {
		r.opts = append(r.opts, casbinrules.WithAnonymous())
	}
	for _, line := range r.family.Policy(r.rnd) {
		n := r.rnd.IntN(2)
		if !slices.Contains(slices.Concat(r.files[:]...), line) {
			r.files[n] = append(r.files[n], line)
		}
	}
	fsys := r.fs()
	a, err := r.open(fsys)
	if err != nil {
		return 0
	}
	linter := r.linter()
	before, linted := 0, 0
	for range edits {
		r.edit()
		for name, f := range r.fs() {
			fsys[name] = f
		}
		if got, want := r.lint(linter, fsys), r.lintOnce(fsys); !slices.Equal(got, want) {
			t.Fatalf("%s:\nlinted again: %q\nfor once:     %q", r, got, want)
		}
		if n := casbinrules.LinesLinted(linter); n > linted {
			r.linted++
		}
		linted = casbinrules.LinesLinted(linter)
		err := a.ReloadForced(t.Context())
		fresh, wanted := r.open(fsys)
		if got, want := findingsOf(err), findingsOf(wanted); (err == nil) != (wanted == nil) || !slices.Equal(got, want) {
			t.Fatalf("%s:\nreload: %v\nopen:   %v", r, err, wanted)
		}
		if err != nil {
			continue
		}
		r.compareBoth(a, fresh)
		if n := casbinrules.LinesEdited(a); n > before {
			revised++
		}
		before = casbinrules.LinesEdited(a)
	}
	return revised
}

// linter returns a linter that has not linted yet.
func (r *reloads) linter() *casbinrules.Linter {
	l, err := casbinrules.NewLinter(casbinrules.ModelText("model.conf", r.family.Text), []string{"a.csv", "b.csv"}, r.lintOptions()...)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func (r *reloads) lintOptions() []casbinrules.LintOption {
	opts := make([]casbinrules.LintOption, len(r.opts))
	for i, o := range r.opts {
		opts[i] = o
	}
	return opts
}

func (r *reloads) lint(l *casbinrules.Linter, fsys fstest.MapFS) []casbinrules.Finding {
	found, err := l.Lint(fsys)
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

// lintOnce returns the findings of a new linter.
func (r *reloads) lintOnce(fsys fstest.MapFS) []casbinrules.Finding {
	found, err := casbinrules.LintFS(fsys, casbinrules.ModelText("model.conf", r.family.Text), []string{"a.csv", "b.csv"}, r.lintOptions()...)
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

func (r *reloads) String() string {
	return fmt.Sprintf("%s\nwith a.csv\n%s\nand b.csv\n%s", r.family.Name, strings.Join(r.files[0], "\n"), strings.Join(r.files[1], "\n"))
}

func (r *reloads) fs() fstest.MapFS {
	return fstest.MapFS{
		"a.csv": {Data: []byte(strings.Join(r.files[0], "\n"))},
		"b.csv": {Data: []byte(strings.Join(r.files[1], "\n") + "\n")},
	}
}

func (r *reloads) open(fsys fstest.MapFS) (*casbinrules.Authorizer, error) {
	return casbinrules.OpenFS(fsys, casbinrules.ModelText("model.conf", r.family.Text), []string{"a.csv", "b.csv"}, r.opts...)
}

// edit changes one or a few lines.
func (r *reloads) edit() {
	for range 1 + r.rnd.IntN(3) {
		file := &r.files[r.rnd.IntN(2)]
		at := r.rnd.IntN(len(*file) + 1)
		switch kind := r.rnd.IntN(12); {
		case kind < 3 && at < len(*file): // taken out
			*file = slices.Delete(slices.Clone(*file), at, at+1)
		case kind < 6 && at < len(*file): // another one in its place
			*file = slices.Clone(*file)
			(*file)[at] = r.line()
		case kind == 6: // moved from elsewhere
			other := &r.files[r.rnd.IntN(2)]
			if from := r.rnd.IntN(len(*other) + 1); from < len(*other) {
				line := (*other)[from]
				*other = slices.Delete(slices.Clone(*other), from, from+1)
				*file = slices.Insert(slices.Clone(*file), min(at, len(*file)), line)
			}
		default:
			*file = slices.Insert(slices.Clone(*file), at, r.line())
		}
	}
}

// line returns a new line: usually a rule or a link that does not exist yet.
func (r *reloads) line() string {
	have := slices.Concat(r.files[:]...)
	for range 20 {
		switch r.rnd.IntN(24) {
		case 0:
			return ""
		case 1:
			return "# a comment, with a comma"
		case 2:
			return policygen.Pick(r.rnd, []string{"p", "p, ann", "q, ann, /a, GET", "\"", "p, a#, /a, GET", "g, u0, u0", "p,  u0 , /a, get, allow", "\ufeff"})
		case 3:
			if len(have) > 0 {
				return policygen.Pick(r.rnd, have)
			}
		}
		line := policygen.Pick(r.rnd, r.family.Policy(r.rnd))
		if r.rnd.IntN(3) == 0 { // a name that is not there yet
			line = strings.Replace(line, "u1", fmt.Sprintf("u1%d", r.rnd.IntN(9)), 1)
		}
		if !slices.Contains(have, line) {
			return line
		}
	}
	return ""
}

// findingsOf returns the findings in an error.
func findingsOf(err error) []casbinrules.Finding {
	var found *casbinrules.FindingsError
	if errors.As(err, &found) {
		return found.Findings
	}
	return nil
}

// compareBoth compares a reloaded policy with a newly opened one.
func (r *reloads) compareBoth(a, fresh *casbinrules.Authorizer) {
	t, ctx := r.t, r.t.Context()
	t.Helper()
	same := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n%s: got\n%v\nwant\n%v", r, what, got, want)
		}
	}
	same("warnings", a.Warnings(), fresh.Warnings())
	same("rules", a.Rules(), fresh.Rules())
	same("known roles", a.KnownRoles(), fresh.KnownRoles())
	got, want := a.Status(), fresh.Status()
	got.Version.Loaded = want.Version.Loaded
	same("status", got, want)
	for range 4 {
		p, err := r.family.Principal(r.rnd)
		if err != nil {
			t.Fatal(err)
		}
		access := r.family.Access(r.rnd)
		d, err := a.Authorize(ctx, p, access)
		d2, err2 := fresh.Authorize(ctx, p, access)
		same(fmt.Sprintf("decision on %s %+v", p.ID(), access), d, d2)
		same("its error", fmt.Sprint(err), fmt.Sprint(err2))
		e, err := a.Explain(ctx, p, access, casbinrules.WithMaxNearMisses(20))
		e2, err2 := fresh.Explain(ctx, p, access, casbinrules.WithMaxNearMisses(20))
		same("explanation", fmt.Sprintf("%s %v", e, err), fmt.Sprintf("%s %v", e2, err2))
		roles, err := a.RolesOf(ctx, p)
		roles2, err2 := fresh.RolesOf(ctx, p)
		same("roles", fmt.Sprintf("%q %v", roles, err), fmt.Sprintf("%q %v", roles2, err2))
		action := casbinrules.Action{Name: access.Action}
		objects, err := a.Objects(ctx, p, action)
		objects2, err2 := fresh.Objects(ctx, p, action)
		same("objects", treeOf(objects, err), treeOf(objects2, err2))
		subjects, err := a.Subjects(ctx, p.Tenant(), access.Resource.Path, action)
		subjects2, err2 := fresh.Subjects(ctx, p.Tenant(), access.Resource.Path, action)
		same("subjects", fmt.Sprintf("%+v %v", subjects, err), fmt.Sprintf("%+v %v", subjects2, err2))
	}
}

// treeOf returns a set of objects as text.
func treeOf(set *casbinrules.ObjectSet, err error) string {
	if err != nil {
		return err.Error()
	}
	var text func(c *casbinrules.Condition) string
	text = func(c *casbinrules.Condition) string {
		var parts []string
		for _, part := range c.Parts {
			parts = append(parts, text(part))
		}
		slices.Sort(parts)
		return fmt.Sprint(c.Kind, c.Function, c.Pattern, c.Names, c.Place, parts)
	}
	return fmt.Sprint(set.Reason, text(set.Condition()))
}
