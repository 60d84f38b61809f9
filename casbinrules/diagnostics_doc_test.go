package casbinrules

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// codesInCode are the codes of finding.go, by the names of their constants.
func codesInCode(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "internal/model/finding.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
			code, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return true
	})
	return codes
}

// section is the document's section on one code.
type section struct {
	severity  string
	bad, good []example
	notes     []example // cause notes
}

type example struct {
	language string
	options  []string
	text     string
}

var (
	sectionHead = regexp.MustCompile(`(?m)^### (\w+)\n\n\*(.+?)\.\*`)
	fence       = regexp.MustCompile("(?ms)^```(\\w+) ([^\n]*)\n(.*?)\n```$")
)

// documented reads the document.
func documented(t *testing.T) map[string]section {
	t.Helper()
	data, err := os.ReadFile("../docs/policy-diagnostics.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	heads := sectionHead.FindAllStringSubmatchIndex(text, -1)
	sections := map[string]section{}
	for i, h := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		code := text[h[2]:h[3]]
		if _, twice := sections[code]; twice {
			t.Errorf("%s is described twice", code)
		}
		s := section{severity: text[h[4]:h[5]]}
		for _, m := range fence.FindAllStringSubmatch(text[h[0]:end], -1) {
			options := strings.Fields(m[2])
			e := example{m[1], options, m[3]}
			switch options[len(options)-1] {
			case "bad":
				s.bad = append(s.bad, e)
			case "good":
				s.good = append(s.good, e)
			case "note":
				s.notes = append(s.notes, e)
			default:
				t.Errorf("%s: an example is neither bad nor good nor worth a note", code)
			}
		}
		sections[code] = s
	}
	return sections
}

// exampleModels are the models that the document names.
func exampleModels() map[string]Model {
	text := func(name, p, effect, matcher string) Model {
		return ModelText(name+".conf", modelText(plainRequest, p, "g = _, _", effect, matcher))
	}
	const rbac = "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && " + anyAct
	return map[string]Model{
		"no-roles": withoutRoles,
		"rbac":     RBAC(), "rbac-deny": RBACWithDeny(), "rbac-tenants": RBACWithTenants(), "rbac-tenants-patterns": RBACWithTenantPatterns(),
		"timed":            timedModel(RBAC()),
		"timed-tenants":    timedModel(RBACWithTenants()),
		"keymatch":         text("keymatch", "sub, obj, act", someAllow, "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && "+anyAct),
		"regexp":           text("regexp", "sub, obj, act", someAllow, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && regexMatch(r.act, p.act)"),
		"acl":              text("acl", "sub, obj, act", someAllow, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"),
		"priority":         text("priority", "priority, sub, obj, act, eft", firstMatch, rbac),
		"subject-priority": text("subject-priority", "sub, obj, act, eft", subjectFirst, rbac),
		"superuser":        text("superuser", "sub, obj, act, eft", allowAndDeny, `r.sub == "root" || `+rbac),
		"superuser-allow":  text("superuser-allow", "sub, obj, act, eft", allowAndDeny, `r.sub == "root" && p.eft == "allow" || `+rbac),
		"ages": ModelText("ages.conf", modelText("sub, obj, act, age", "sub, obj, act, min", "g = _, _", someAllow,
			"g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.age >= p.min")),
		"constraints": ModelText("constraints.conf", RBAC().Text()+"\n[constraint_definition]\nc = sod(\"staff\", \"auditor\")\n"),
		"remarks":     text("remarks", "sub, obj, act, why", someAllow, rbac),
		"allow-only":  text("allow-only", "sub, obj, act, eft", someAllow, rbac),
	}
}

// lint returns the findings of the example.
func (e example) lint(t *testing.T, opts ...LintOption) []Finding {
	t.Helper()
	policyValue := e.text
	m := exampleModels()[e.options[0]]
	if e.language == "ini" {
		m, policyValue = modelWith(e.text), "p, ann, /reports, GET"
		if strings.Contains(e.text, "eft\n") || strings.HasSuffix(e.text, "eft") {
			policyValue += ", allow"
		}
	}
	for _, option := range e.options[1:] {
		switch option {
		case "escaped":
			policyValue = regexp.MustCompile(`\\u[0-9a-f]{4}|\\x[0-9a-f]{2}`).ReplaceAllStringFunc(policyValue, func(s string) string {
				raw, err := strconv.Unquote(`"` + s + `"`)
				if err != nil {
					t.Fatal(err)
				}
				return raw
			})
		case "long":
			policyValue = strings.ReplaceAll(policyValue, "…", strings.Repeat("a", policy.MaxLine))
		case "prefix":
			opts = append(opts, WithRolePrefix("role:"))
		case "default":
			opts = append(opts, WithDefaultRole("reader"))
		case "owner":
			opts = append(opts, WithObjectAttribute("owner"))
		case "routes":
			opts = append(opts, WithRoutes([]core.RouteInfo{{Method: "GET", Pattern: "/reports/:id"}}))
		case "routes-both":
			opts = append(opts, WithRoutes([]core.RouteInfo{{Method: "GET", Pattern: "/reports/:id"}, {Method: "POST", Pattern: "/reports"}}))
		case "reload":
			before, after, _ := strings.Cut(policyValue, "---\n")
			return policy.CheckShrink(policyRules(t, m, before), policyRules(t, m, after))
		}
	}
	switch e.options[0] {
	case "subject-priority":
		opts = append(opts, WithoutTokenRoles())
	case "ages":
		opts = append(opts, ageOptions...)
	}
	found, err := LintFS(files("policy.csv", policyValue), m, []string{"policy.csv"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func policyRules(t *testing.T, m Model, policyValue string) policy.Rules {
	t.Helper()
	p := policy.NewReader(model.ReadSchema(m.Name(), m.Text(), &model.Settings{Casbin: casbinv2.Casbin}), &model.Settings{Casbin: casbinv2.Casbin})
	p.Read("policy.csv", []byte(policyValue))
	if len(p.Findings) > 0 {
		t.Fatal(p.Findings)
	}
	return p.Rules
}

// modelWith returns the good model with definitions replaced by lines. Those that it lacks
// come after the one before, and a new section at the end.
func modelWith(lines string) Model {
	text := baseModel
	if strings.HasPrefix(lines, "[") {
		return ModelText("model.conf", text+"\n"+lines+"\n")
	}
	before := ""
	for line := range strings.SplitSeq(lines, "\n") {
		key := strings.Fields(line)[0]
		old := regexp.MustCompile(`(?m)^` + key + ` .*$`)
		if !old.MatchString(text) {
			text = strings.Replace(text, before, before+"\n"+line, 1)
		} else {
			text = old.ReplaceAllLiteralString(text, line)
		}
		before = line
	}
	return ModelText("model.conf", text)
}

func TestEveryCodeIsDocumented(t *testing.T) {
	codes, sections := codesInCode(t), documented(t)
	slices.Sort(codes)
	if got := slices.Sorted(maps.Keys(sections)); !slices.Equal(got, codes) {
		for _, code := range codes {
			if _, ok := sections[code]; !ok {
				t.Errorf("%s is not documented", code)
			}
		}
		for _, code := range got {
			if !slices.Contains(codes, code) {
				t.Errorf("%s is documented, and no such code", code)
			}
		}
	}
	for code, s := range sections {
		plain, asCasbin := (&model.Settings{Casbin: casbinv2.Casbin}).Severity(code), (&model.Settings{Casbin: casbinv2.Casbin, AsCasbin: true}).Severity(code)
		want := plain.String()
		if plain != asCasbin {
			want += ", " + asCasbin.String() + " with WithCasbinSemantics"
		}
		if model.MayBeNote(code) {
			want += ", or a note"
		}
		if model.MayBeNote(code) != (len(s.notes) > 0) {
			t.Errorf("%s: %d examples are worth a note", code, len(s.notes))
		}
		if got := strings.ToLower(s.severity[:1]) + s.severity[1:]; got != want {
			t.Errorf("%s: the document says %q, the code %q", code, got, want)
		}
		if len(s.bad) == 0 || len(s.good) == 0 {
			t.Errorf("%s has no bad or no good example", code)
		}
	}
}

// TestExamplesOfTheDocument: a bad example causes its code and no other, with the
// documented severity; a good one causes nothing.
func TestExamplesOfTheDocument(t *testing.T) {
	for code, s := range documented(t) {
		t.Run(code, func(t *testing.T) {
			for _, e := range s.bad {
				found := e.lint(t)
				if len(found) == 0 {
					t.Error("the bad example causes nothing")
				}
				for _, f := range found {
					if f.Code != code || !strings.EqualFold(f.Severity.String(), strings.Split(s.severity, ",")[0]) || f.Hint == "" {
						t.Errorf("the bad example causes %s", f)
					}
				}
			}
			for _, e := range s.notes {
				found := e.lint(t)
				if len(found) == 0 {
					t.Error("the example of a note causes nothing")
				}
				for _, f := range found {
					if f.Code != code || f.Severity != SeverityNote || f.Hint == "" {
						t.Errorf("the example of a note causes %s", f)
					}
				}
			}
			for _, e := range s.good {
				for _, f := range e.lint(t) {
					t.Errorf("the good example causes %s", f)
				}
			}
			if s.severity != "Error, warning with WithCasbinSemantics" {
				return
			}
			for _, f := range s.bad[0].lint(t, WithCasbinSemantics()) {
				if f.Severity != SeverityWarning {
					t.Errorf("with WithCasbinSemantics the bad example causes %s", f)
				}
			}
		})
	}
}
