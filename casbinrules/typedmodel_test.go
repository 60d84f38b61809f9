package casbinrules

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
)

// typedOptions fill one attribute of each type.
var typedOptions = []Option{
	WithClaimAttribute("age", "age"), WithAttributeType("age", Number),
	WithClaimAttribute("now", "now"), WithAttributeType("now", TimeOfDay),
	WithClaimAttribute("day", "day"), WithAttributeType("day", Date),
	WithClaimAttribute("ip", "ip"), WithAttributeType("ip", IPAddress),
	WithClaimAttribute("word", "word"),
	WithFunction("within", policygen.Within),
}

// typedModel returns a model whose matcher continues with a condition, after 39 bytes.
func typedModel(condition string) Model {
	return ModelText("m.conf", modelText("sub, obj, act, age, now, day, ip, word", "sub, obj, act, x, y", "", someAllow,
		"r.sub == p.sub && r.act == p.act && "+condition))
}

func TestWhatMatchersCompareByType(t *testing.T) {
	const good, bad = true, false
	for _, c := range []struct {
		condition string
		want      bool
		column    int // of the finding within the condition, from 1
	}{
		{"r.age >= p.x", good, 0},
		{"p.x < r.age && p.y > p.x", good, 0},
		{"r.age >= 18 && 21 > r.age && r.age != -1", good, 0},
		{"r.age in (18, p.x)", good, 0},
		{"-r.age < p.x && r.age + p.y - 2 * 1 >= p.x", good, 0},
		{`r.now >= "08:00" && r.now < p.x`, good, 0},
		{`r.day > "2026-01-31" && r.day <= p.x`, good, 0},
		{`r.day in ("2026-01-31", p.x)`, good, 0},
		{`r.ip == p.x || r.ip in ("10.0.0.1", p.y) || ipMatch(r.ip, "10.0.0.0/8")`, good, 0},
		{`(p.x == "*" || r.age >= p.x) && p.y != "none"`, good, 0},
		{`(r.word == "a" ? r.age : 18) >= p.x`, good, 0},
		{`(r.word == "a" ? r.age : 18) >= 17`, good, 0},

		{"r.word >= p.x", bad, 8},
		{"r.word > 5", bad, 8},
		{"r.word == 5", bad, 8},
		{"p.x >= p.y", bad, 5},
		{"p.x >= 18", bad, 5},
		{"r.sub < r.word", bad, 7},
		{`r.age >= "18"`, bad, 7},
		{"r.age >= 018", bad, 10},
		{"r.age >= 0x12", bad, 10},
		{"r.age >= 12345678901234567", bad, 10},
		{"r.age == r.sub", bad, 7},
		{"r.age == r.now", bad, 7},
		{"r.age < r.day", bad, 7},
		{`r.now < "8:00"`, bad, 9},
		{`r.now < "2026-01-31"`, bad, 7},
		{`r.day < "2026-02-30"`, bad, 9},
		{`r.day < "tomorrow"`, bad, 9},
		{`r.day < 20260131`, bad, 7},
		{`r.ip == "10.0.0.0/8"`, bad, 9},
		{"r.ip < p.x", bad, 6},
		{"r.age >= p.x && r.now >= p.x", bad, 23},
		{"r.age >= p.x && p.x == r.sub", bad, 21},
		{"r.age >= p.x && within(r.word, p.x)", bad, 32},
		{"within(r.age, p.x)", bad, 8},
		{"keyMatch(r.age, p.x)", bad, 10},
		{"r.age =~ '1'", bad, 1},
		{"ipMatch(r.age, p.x)", bad, 9},
		{"r.age / p.x > 1", bad, 7},
		{"r.age % 2 == 1", bad, 7},
		{"r.age ** 2 > p.x", bad, 7},
		{"r.age & 1 == 1", bad, 7},
		{"~(r.age) > 1", bad, 1},
		{"r.now + 1 > p.x", bad, 1},
		{"-r.now > p.x", bad, 2},
		{"r.word + r.age == p.x", bad, 8},
		{"r.word in (1, 2)", bad, 8},
		{`r.age in ("1", "2")`, bad, 7},
		{"r.age", bad, 1},
		{"!r.age", bad, 2},
		{`p.x == "18" && r.age > p.x`, bad, 5},
	} {
		// The position of the condition in the file.
		const before = len("m = r.sub == p.sub && r.act == p.act && ")
		fsys := files("p.csv", "p, a, GET, GET, 18, 18\n")
		found, err := LintFS(fsys, typedModel(c.condition), []string{"p.csv"}, lintOptions(typedOptions)...)
		if err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(f Finding) bool { return f.File != "m.conf" || f.Code == "model_unused_column" })
		switch {
		case (len(found) == 0) != c.want:
			t.Errorf("%s: %v", c.condition, found)
		case !c.want && (found[0].Line != 8 || found[0].Column != before+c.column):
			t.Errorf("%s: column %d, want %d: %s", c.condition, found[0].Column-before, c.column, found[0])
		}
	}
}

func lintOptions(opts []Option) (all []LintOption) {
	for _, o := range opts {
		all = append(all, o)
	}
	return all
}

func TestRulesHaveValuesOfTheirType(t *testing.T) {
	for _, c := range []struct {
		condition, policy string
		want              []string
	}{
		{"r.age >= p.x", "p, a, /, GET, 18, y\np, a, /, GET, 9.5, y\n", nil},
		{"r.age >= p.x", "p, a, /, GET, 18 , y\n", []string{"1:15:surrounding_space"}},
		{"r.age >= p.x", "p, a, /, GET, eighteen, y\n", []string{"1:15:bad_value"}},
		{"r.age >= p.x", "p, a, /, GET, \"18\", y\np, a, /, GET, \"0x12\", y\n", []string{"2:15:bad_value"}},
		{"r.age >= p.x", "p, a, /, GET, NaN, y\np, a, /, GET, Inf, y\np, a, /, GET, 1e3, y\np, a, /, GET, *, y\n",
			[]string{"1:15:bad_value", "2:15:bad_value", "3:15:bad_value", "4:15:bad_value"}},
		{"r.now >= p.x && r.now < p.y", "p, a, /, GET, 8:00, 18:00\np, a, /, GET, 08:00, 25:00\n", []string{"1:15:bad_value", "2:22:bad_value"}},
		{"r.day == p.x", "p, a, /, GET, 2026-02-30, y\n", []string{"1:15:bad_value"}},
		{"r.ip == p.x", "p, a, /, GET, 10.0.0.0/8, y\n", []string{"1:15:bad_value"}},
		{"ipMatch(r.ip, p.x)", "p, a, /, GET, 10.0.0.0/8, y\np, a, /, GET, 10.0.0.0/99, y\n", []string{"2:15:bad_pattern"}},
		{"p.y > p.x && r.age > p.x", "p, a, /, GET, 1, y\n", []string{"1:18:bad_value"}},
		// A word such as "*" instead of a value: where the matcher allows it, and where not.
		{`(p.x == "*" || r.age >= p.x)`, "p, a, /, GET, *, y\np, a, /, GET, any, y\n", []string{"2:15:bad_value"}},
		{`(p.x != "*" && r.age >= p.x)`, "p, a, /, GET, *, y\n", nil},
		{`!(p.x != "*") || r.age >= p.x`, "p, a, /, GET, *, y\n", []string{"1:15:bad_value"}},
		{`(r.age >= p.x || p.x == "*")`, "p, a, /, GET, *, y\n", []string{"1:15:bad_value"}},
		{`p.y == "age" && r.age >= p.x || p.y == "day" && r.sub == p.x`, "p, a, /, GET, 18, y\n", []string{"0"}},
		{`(p.y == "any" || r.age >= p.x)`, "p, a, /, GET, whoever, any\np, a, /, GET, whoever, some\n", []string{"2:15:bad_value"}},
		{`(p.x == "*" || within(r.word, p.y) && r.age >= p.x)`, "p, a, /, GET, *, y\np, a, /, GET, any, y\n", []string{"2:15:bad_value"}},
		{`(p.x == "*" || r.age in (p.x, 1))`, "p, a, /, GET, *, y\np, a, /, GET, any, y\n", []string{"2:15:bad_value"}},
	} {
		_, err := OpenFS(files("p.csv", c.policy), typedModel(c.condition), []string{"p.csv"}, append([]Option{quiet}, typedOptions...)...)
		var got []string
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				parts := strings.SplitN(strings.TrimPrefix(strings.TrimPrefix(line, "casbinrules: "), "p.csv:"), ":", 5)
				if len(parts) < 4 || parts[0] == "m.conf" {
					got = append(got, "0")
					continue
				}
				got = append(got, parts[0]+":"+parts[1]+":"+strings.TrimSpace(parts[3]))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q: %v", c.condition, got, c.want, err)
		}
	}
}

func TestTypedModelsWithoutRulesRefuse(t *testing.T) {
	for _, condition := range []string{"r.age >= p.x", "!(r.age < p.x)", "r.ip == p.x", `r.day > "2026-01-31"`, "r.now != p.x"} {
		a, err := OpenFS(files("p.csv", ""), typedModel(condition), []string{"p.csv"}, append([]Option{quiet, WithEmptyPolicy()}, typedOptions...)...)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		d, err := a.Enforce(context.Background(), "erin", "/a", "GET", "18", "08:00", "2026-02-01", "10.0.0.1", "w")
		if err != nil || d.Allowed {
			t.Errorf("%s: %+v, %v", condition, d, err)
		}
	}
}

func TestMissesOfTypedConditionsAreExplained(t *testing.T) {
	a := open(t, typedModel("r.age >= p.x"), "p, erin, /a, GET, 18, y\n", typedOptions...)
	claims := map[string]any{"age": 9, "now": "08:00", "day": "2026-01-31", "ip": "10.0.0.1", "word": "w"}
	e, err := a.Explain(context.Background(), claiming(t, claims), to("GET", "/a"))
	if err != nil || len(e.NearMisses) != 1 || !strings.HasSuffix(e.NearMisses[0].Text, "the condition r.age >= p.x") {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestEnforcersCompareNumbersOnlyAsNumbers: with an enforcer of the application, its own
// matcher compares.
func TestEnforcersCompareNumbersOnlyAsNumbers(t *testing.T) {
	enforcer := func(condition string) *casbin.Enforcer {
		m, err := casbinmodel.NewModelFromString(modelText("sub, obj, act, age", "sub, obj, act, min", "", someAllow, "r.sub == p.sub && r.obj == p.obj && r.act == p.act && "+condition))
		if err != nil {
			t.Fatal(err)
		}
		e, err := casbin.NewEnforcer(m, lineAdapter{lines: []string{"p, erin, /a, GET, 18"}})
		if err != nil {
			t.Fatal(err)
		}
		addOracles(e)
		return e
	}
	age := WithClaimAttribute("age", "age")
	for _, condition := range []string{"r.age >= p.min", `r.age >= "18"`, `"18" < r.age`, "r.age > 5", "num(p.min) <= r.age"} {
		if _, err := FromEnforcer(enforcer(condition), age); err == nil || !strings.Contains(err.Error(), "byte by byte") {
			t.Errorf("%s: %v", condition, err)
		}
		if _, err := FromEnforcer(enforcer(condition), age, WithCasbinSemantics()); err != nil {
			t.Errorf("%s as Casbin: %v", condition, err)
		}
	}
	if _, err := FromEnforcer(enforcer("r.age >= num(p.min)"), age, WithAttributeType("age", Date)); err == nil {
		t.Error("a date is taken")
	}
	a, err := FromEnforcer(enforcer("r.age >= num(p.min)"), age, WithAttributeType("age", Number))
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[any]core.Reason{9: ReasonNoRule, 100: core.ReasonAllowed, "18.0": core.ReasonAllowed, "x": ReasonBadAttribute} {
		d, err := a.Authorize(context.Background(), claiming(t, map[string]any{"age": value}), to("GET", "/a"))
		if err != nil || d.Reason != want {
			t.Errorf("%v: %+v, %v", value, d, err)
		}
	}
}
