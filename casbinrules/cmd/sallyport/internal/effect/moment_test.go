package effect

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

var inTenants = []string{"g, u1, r1, t1", "g, u1, r2, t2", "g, u2, r2, t1", "g, u2, r3, t2"}

// timedFamilies are those whose role links have a start and an end.
var timedFamilies = []family{
	{name: "roles with an end", matcher: "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act", roles: "g = _, _, (_, _)", objects: []string{"/a", "/:x"}},
	{name: "roles with an end, and deny", effect: deny, matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", roles: "g = _, _, (_, _)", objects: []string{"/a"}},
	{name: "a role that must not be, with an end", matcher: "g(r.sub, p.sub) && !g(r.sub, 'r3') && r.obj == p.obj && r.act == p.act", roles: "g = _, _, (_, _)", objects: []string{"/a", "/b"}},
	{name: "roles with an end in tenants", effect: deny, request: ", dom", policy: ", dom", roles: "g = _, _, _, (_, _)", values: []string{"t1", "t2"}, regions: []string{"t1", "t2"}, objects: []string{"/a"},
		matcher: "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act", links: inTenants},
	{name: "roles with an end in a tenant of all", request: ", dom", policy: ", dom", roles: "g = _, _, _, (_, _)", values: []string{"t1", "t2"}, regions: []string{"t1", "t2"}, objects: []string{"/a"},
		matcher: "(g(r.sub, p.sub, r.dom) || g (r.sub, p.sub, '*')) && r.dom == p.dom && r.obj == p.obj && r.act == p.act", links: slices.Concat(inTenants, []string{"g, u1, r1, *", "g, u2, r2, *"})},
	{name: "roles with an end, and groups of objects in g", matcher: "g(r.sub, p.sub) && g (r.obj, p.obj) && r.act == p.act", roles: "g = _, _, (_, _)", objects: []string{"/a", "docs", "secret"},
		links: []string{"g, /a, docs", "g, /a/b, docs", "g, /a/b, secret", "g, secret, docs", "g, u1, r1", "g, u2, r2"}},
	{name: "groups of objects with an end", effect: deny, matcher: grouped, roles: "g = _, _\ng2 = _, _, (_, _)", objects: []string{"/a", "docs", "secret"},
		links: []string{"g2, /a, docs", "g2, /a/b, docs", "g2, /a/b, secret", "g2, secret, docs", "g, u1, r1", "g, u2, r2"}},
}

// windows are starts and ends around the times asked about.
var (
	windows = []string{"_, _", "_, _", "_, 2090-01-01 00:00:00", "2090-01-01 00:00:00, _", "2090-01-01 00:00:00, 2091-01-01 00:00:00", "_, 2091-01-01 00:00:00.0000015",
		"2000-01-01 00:00:00, 2092-01-01 00:00:00", "2092-01-01 00:00:00, _", "_, 2001-01-01 00:00:00"}
	times = []string{"2089-01-01 00:00:00", "2090-01-01 00:00:00", "2090-01-01 00:00:01", "2091-01-01 00:00:00", "2091-01-01 00:00:00.000001", "2091-06-01 00:00:00", "2092-01-01 00:00:00", "2093-01-01 00:00:00"}
)

// timed gives each role link of a kind with times a window, and keeps one of several
// lines for the same link.
func (f family) timed(r *rand.Rand, lines []string) []string {
	kind := "g, "
	if strings.Contains(f.roles, "g2 = _, _, (") {
		kind = "g2, "
	}
	var made []string
	seen := map[string]bool{}
	for _, line := range lines {
		link := strings.Join(strings.SplitN(line, ", ", 5)[:min(4, strings.Count(line, ", ")+1)], ", ")
		if strings.HasPrefix(line, kind) {
			if strings.Count(line, ", ") > 3 { // it has one
				link = line[:strings.LastIndex(line[:strings.LastIndex(line, ", ")], ", ")]
			}
			if seen[link] {
				continue
			}
			seen[link] = true
			line = link + ", " + windows[r.IntN(len(windows))]
		}
		made = append(made, line)
	}
	return made
}

// Every widening at some future time is reported.
func TestNoFutureWideningIsOverlooked(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for _, f := range timedFamilies {
		t.Run(f.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(30, 11))
			widened, later := 0, 0
			for n := 0; n < rounds || later == 0 && n < 100; n++ {
				lines := f.random(r)
				after := lines
				if r.IntN(2) == 0 {
					after = f.edited(lines, r)
				}
				lines, after = f.timed(r, lines), f.timed(r, after)
				for _, semantics := range [][]casbinrules.Option{{casbinrules.WithCasbinSemantics()}, nil} {
					clock := &ask.Clock{}
					opts := append(slices.Clip(semantics), casbinrules.WithClock(clock.Now))
					old, now, ok := f.openBoth(lines, after, opts)
					if !ok {
						continue
					}
					report, err := Compare(t.Context(), old, now, Settings{Clock: clock, Limit: 1_000_000})
					if err != nil || !report.Complete() {
						t.Fatalf("%q %q: %+v, %v", lines, after, report, err)
					}
					var from []string // when the reported widening begins, "" for now
					for _, c := range report.Changes {
						if c.Gains {
							from = append(from, c.From)
						}
					}
					slices.Sort(from)
					for _, text := range times {
						if len(from) > 0 && from[0] <= text {
							break
						}
						at, err := time.Parse(time.DateTime, text)
						if err != nil {
							t.Fatal(err)
						}
						clock.Set(&at)
						if request := f.firstWidened(t.Context(), old, now, semantics == nil); request != "" {
							t.Fatalf("old %q\nnew %q\nallows %s at %s, and the report is %+v", lines, after, request, text, report)
						}
					}
					if len(from) > 0 && from[0] == "" {
						widened++
					} else if len(from) > 0 {
						later++
					}
				}
			}
			t.Logf("%d widened, %d later", widened, later)
			if later == 0 {
				t.Error("no edit widens anything later only")
			}
		})
	}
}

// Gains through links that the subject's roles do not show are not overlooked: links in
// another tenant than the request's, and links to a name that differs from a role only by
// the prefix.
func TestWideningsThatRolesDoNotShowAreNotOverlooked(t *testing.T) {
	tenants := family{request: ", dom", policy: ", dom", roles: "g = _, _, _, (_, _)", matcher: "g(r.sub, p.sub, p.dom) && r.dom == 't1' && r.obj == p.obj && r.act == p.act"}
	past := tenants
	past.matcher = "g(r.sub, p.sub) && r.dom == 't1' && r.obj == p.obj && r.act == p.act"
	for name, c := range map[string]struct {
		family
		lines, old, after []string
	}{
		"tenant of the rule": {tenants, []string{"p, role:r, /a, GET, t2"}, nil, []string{"g, u, role:r, t2, 2090-01-01 00:00:00, _"}},
		"no tenant":          {past, []string{"p, role:r, /a, GET, t2"}, nil, []string{"g, u, role:r, , 2090-01-01 00:00:00, _"}},
		"prefix": {timedFamilies[0], []string{"p, a, /a, GET", "p, role:a, /b, GET"},
			[]string{"g, u, a, _, _"}, []string{"g, u, a, _, 2090-01-01 00:00:00", "g, u, role:a, 2090-01-01 00:00:00, _"}},
	} {
		clock := &ask.Clock{}
		opts := []casbinrules.Option{casbinrules.WithCasbinSemantics(), casbinrules.WithRolePrefix("role:"), casbinrules.WithClock(clock.Now)}
		old, err := c.open(slices.Concat(c.lines, c.old), opts...)
		if err != nil {
			t.Fatal(name, err)
		}
		now, err := c.open(slices.Concat(c.lines, c.after), opts...)
		if err != nil {
			t.Fatal(name, err)
		}
		report, err := Compare(t.Context(), old, now, Settings{Who: ask.Who{Prefix: "role:"}, Clock: clock, Limit: 1_000_000})
		if err != nil || !report.Widens() || report.Changes[0].From != times[1] {
			t.Errorf("%s: got %+v, %v", name, report, err)
		}
	}
}

// At a future time only subjects whose roles differ then are asked about again.
func TestTimesAskAgainOnlyAboutOtherRoles(t *testing.T) {
	f, clock := timedFamilies[0], &ask.Clock{}
	var lines []string
	for i := range 20 {
		lines = append(lines, fmt.Sprintf("g, u%d, r1, _, 20%d-01-01 00:00:00", i, 60+i))
	}
	old, err := f.open(append([]string{"p, r1, /a, GET", "p, r2, /b, PUT"}, lines...), casbinrules.WithClock(clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	now, err := f.open(append([]string{"p, r1, /a, PUT", "p, r2, /b, PUT"}, lines...), casbinrules.WithClock(clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	once, err := Compare(t.Context(), old, now, Settings{Limit: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	report, err := Compare(t.Context(), old, now, Settings{Clock: clock, Limit: 1_000_000})
	if err != nil || report.Asked > 2*once.Asked || report.Asked == once.Asked || len(report.Changes) != len(once.Changes) {
		t.Errorf("asked %d, at one time %d; %+v, %v", report.Asked, once.Asked, report, err)
	}
	if _, err := Compare(t.Context(), old, now, Settings{Clock: clock, Limit: once.Asked}); err == nil {
		t.Error("the limit is not for all times")
	}
}

// The limit applies before roles are read at all times, which alone may take hours.
func TestNoRolesAreReadBeyondTheLimit(t *testing.T) {
	f, clock := timedFamilies[0], &ask.Clock{}
	lines := []string{"p, r1, /a, GET"}
	for i := range 20 {
		lines = append(lines, fmt.Sprintf("g, u%d, r1, _, 20%d-01-01 00:00:00", i, 60+i))
	}
	asked := 0
	p, err := f.open(lines, casbinrules.WithClock(func() time.Time { asked++; return clock.Now() }))
	if err != nil {
		t.Fatal(err)
	}
	once, err := Compare(t.Context(), p, p, Settings{Limit: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	asked = 0
	_, err = Compare(t.Context(), p, p, Settings{Clock: clock, Limit: once.Asked + 20})
	if tooLarge, ok := errors.AsType[*TooLargeError](err); !ok || asked > 0 {
		t.Errorf("got %v and %v, with the clock asked %d times", tooLarge, err, asked)
	}
}

// Of several lines for one role link Casbin applies the last, so their order alone is a
// change.
func TestTheOrderOfLinesForOneLinkIsCompared(t *testing.T) {
	open := "(r.obj == p.obj || keyGet2(r.obj, '/:id', 'id') == r.sub && keyGet2(p.obj, '/:id', 'id') == p.sub) && r.act == p.act"
	plain := family{matcher: "g(r.sub, p.sub) && " + open, roles: "g = _, _, (_, _)"}
	tenants := family{matcher: "g(r.sub, p.sub, r.dom) && r.dom == p.dom && " + open, roles: "g = _, _, _, (_, _)", request: ", dom", policy: ", dom"}
	for _, c := range []struct {
		family
		rule, link, other string
	}{
		{plain, "p, r, /r, GET", "g, u, r", "g, v, r"},
		{tenants, "p, r, /r, GET, t", "g, u, r, t", "g, u, r, x"},
	} {
		always, over, other := c.link+", _, _", c.link+", _, 2001-01-01 00:00:00", c.other+", _, 2002-01-01 00:00:00"
		for _, tt := range []struct {
			old, now []string
			want     []string // not compared
		}{
			{[]string{always, over}, []string{over, always}, []string{over, always}},
			{[]string{always, over}, []string{always, over}, nil},
			{[]string{always, over}, []string{always, over, always}, nil}, // Casbin drops the third
			{[]string{always, over}, []string{over}, []string{always}},
			{[]string{other, always}, []string{always, other}, nil},
			{[]string{other, always, over}, []string{always, other, over}, nil},
		} {
			var sides [2]*policy
			for i, lines := range [][]string{tt.old, tt.now} {
				a, err := c.open(append([]string{c.rule}, lines...), casbinrules.WithCasbinSemantics())
				if err != nil {
					t.Fatal(err)
				}
				sides[i] = newPolicy(a, "")
			}
			var got []string
			for _, r := range slices.Concat(sides[0].changed(sides[1]), sides[1].changed(sides[0])) {
				got = append(got, r.Text)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q to %q: got %q, want %q", tt.old, tt.now, got, tt.want)
			}
		}
	}
}
