package casbinrules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist/file-adapter"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// FuzzReadPolicy reads any bytes as a policy. It must not panic, and a policy without
// findings must have the rules that Casbin's own file adapter reads.
func FuzzReadPolicy(f *testing.F) {
	for _, seed := range []string{
		reports, "", "p, a, /x, GET, allow", "p,a,/x,GET,allow\r\n\r\n # c\r\ng, b, a",
		`p, "a ""b"", c", /x, GET, deny`, `p, "a" , /x, GET, deny`, "p, a, /x, GET, allow # c",
		"p, a\x00, /x, GET, allow", model.BOM + "p, a, /x, GET, allow", "\xff\xfep", "p; a; b", "g, a, a", "g2, /x, y",
		"p,\u00a0a,\u2003/x,\tGET,\vallow", "p, a, /x(, GET, allow", "p, \"a,/x\", /y, GET, allow\np, a, \"/x,/y\", GET, allow",
		"g, a, b\ng, b, c\ng, c, a", "p, a, /x, GET, allow\rp, b", "p, \xc3\x28, /x, GET, allow",
		strings.Repeat("p", policy.MaxLine+1), "\"p\", a, /x, GET, allow", "p, a, '/x', GET, allow\n\u0085\n",
	} {
		f.Add([]byte(seed))
	}
	text := RBACWithDeny().Text()
	text = strings.Replace(text, "g = _, _", "g = _, _\ng2 = _, _", 1)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		s := model.ReadSchema("model.conf", text, &model.Settings{Casbin: casbinv2.Casbin})
		if len(s.File.Findings) > 0 {
			t.Fatal(s.File.Findings)
		}
		r := policy.NewReader(s, &model.Settings{Casbin: casbinv2.Casbin})
		r.Read("policy.csv", data)
		r.CheckRoles(policy.NewGraphs(s, r.Rules, &model.Settings{Casbin: casbinv2.Casbin}))
		for _, found := range r.Findings {
			if found.Line < 1 || found.Column < 1 || strings.ContainsAny(found.String(), "\r\n\x00\x1b") {
				t.Errorf("finding %q", found.String())
			}
		}
		if len(r.Findings) > 0 {
			return
		}
		got := map[string][][]string{}
		for _, made := range r.Rules.All() {
			got[made.Kind()] = append(got[made.Kind()], made.Fields())
		}
		want := casbinRules(t, dir, text, data)
		for _, kind := range s.Kinds() {
			if !slices.EqualFunc(got[kind], want[kind[:1]][kind].Policy, slices.Equal) {
				t.Errorf("%s: got %q, casbin has %q", kind, got[kind], want[kind[:1]][kind].Policy)
			}
		}
	})
}

// casbinRules returns what Casbin reads from a file.
func casbinRules(t *testing.T, dir, text string, data []byte) casbinmodel.Model {
	t.Helper()
	file, err := os.CreateTemp(dir, "*.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := casbinmodel.NewModelFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := fileadapter.NewAdapter(filepath.Clean(file.Name())).LoadPolicy(m); err != nil {
		t.Fatalf("casbin refuses what loads here: %v", err)
	}
	return m
}

// FuzzReadModel reads any text as a model. It must not panic, and a model without findings
// must make an engine.
func FuzzReadModel(f *testing.F) {
	for _, c := range families() {
		f.Add(c.Text)
	}
	f.Add(baseModel + "\\\n")
	f.Add("[matchers\n[\n=\n")
	f.Add(strings.Replace(baseModel, "g = _, _", "g = (,,)", 1))
	f.Add(strings.Replace(baseModel, "r.act == p.act", `r.act in ("GET", 'it\'s') && g(g(r.sub, p.sub), ")`, 1))
	f.Fuzz(func(t *testing.T, text string) {
		s := model.ReadSchema("model.conf", text, &model.Settings{Casbin: casbinv2.Casbin})
		for _, found := range s.File.Findings {
			if found.Line < 1 || found.Column < 1 {
				t.Errorf("finding %q", found)
			}
		}
		if len(s.File.Findings) > 0 {
			return
		}
		if _, err := engine.NewCasbinEngine(s, policy.Rules{}, policy.NewGraphs(s, policy.Rules{}, &model.Settings{Casbin: casbinv2.Casbin})); err != nil {
			t.Errorf("no finding, and no engine: %v", err)
		}
	})
}
