package casbinrules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2/model"
	fileadapter "github.com/casbin/casbin/v2/persist/file-adapter"
)

// FuzzReadPolicy reads any bytes as a policy. It must not panic, and what loads
// without a finding must be the rules Casbin's own file adapter reads.
func FuzzReadPolicy(f *testing.F) {
	for _, seed := range []string{
		reports, "", "p, a, /x, GET, allow", "p,a,/x,GET,allow\r\n\r\n # c\r\ng, b, a",
		`p, "a ""b"", c", /x, GET, deny`, `p, "a" , /x, GET, deny`, "p, a, /x, GET, allow # c",
		"p, a\x00, /x, GET, allow", bom + "p, a, /x, GET, allow", "\xff\xfep", "p; a; b", "g, a, a", "g2, /x, y",
		"p,\u00a0a,\u2003/x,\tGET,\vallow", "p, a, /x(, GET, allow", "p, \"a,/x\", /y, GET, allow\np, a, \"/x,/y\", GET, allow",
		"g, a, b\ng, b, c\ng, c, a", "p, a, /x, GET, allow\rp, b", "p, \xc3\x28, /x, GET, allow",
		strings.Repeat("p", maxLine+1), "\"p\", a, /x, GET, allow", "p, a, '/x', GET, allow\n\u0085\n",
	} {
		f.Add([]byte(seed))
	}
	text := RBACWithDeny().Text()
	text = strings.Replace(text, "g = _, _", "g = _, _\ng2 = _, _", 1)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		s := readSchema("model.conf", text, &settings{})
		if len(s.file.findings) > 0 {
			t.Fatal(s.file.findings)
		}
		r := newPolicyReader(s, &settings{})
		r.read("policy.csv", data)
		r.checkRoles(newGraphs(s, r.rules, &settings{}))
		for _, found := range r.findings {
			if found.Line < 1 || found.Column < 1 || strings.ContainsAny(found.String(), "\r\n\x00\x1b") {
				t.Errorf("finding %q", found.String())
			}
		}
		if len(r.findings) > 0 {
			return
		}
		got := map[string][][]string{}
		for _, made := range r.rules {
			got[made.kind()] = append(got[made.kind()], made.fields())
		}
		want := casbinRules(t, dir, text, data)
		for _, kind := range s.kinds() {
			if !slices.EqualFunc(got[kind], want[kind[:1]][kind].Policy, slices.Equal) {
				t.Errorf("%s: got %q, casbin has %q", kind, got[kind], want[kind[:1]][kind].Policy)
			}
		}
	})
}

// casbinRules is what Casbin reads from a file.
func casbinRules(t *testing.T, dir, text string, data []byte) model.Model {
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
	m, err := model.NewModelFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := fileadapter.NewAdapter(filepath.Clean(file.Name())).LoadPolicy(m); err != nil {
		t.Fatalf("casbin refuses what loads here: %v", err)
	}
	return m
}

// FuzzReadModel reads any text as a model. It must not panic, and what has no
// finding must make an engine.
func FuzzReadModel(f *testing.F) {
	for _, c := range families() {
		f.Add(c.text)
	}
	f.Add(baseModel + "\\\n")
	f.Add("[matchers\n[\n=\n")
	f.Add(strings.Replace(baseModel, "g = _, _", "g = (,,)", 1))
	f.Add(strings.Replace(baseModel, "r.act == p.act", `r.act in ("GET", 'it\'s') && g(g(r.sub, p.sub), ")`, 1))
	f.Fuzz(func(t *testing.T, text string) {
		s := readSchema("model.conf", text, &settings{})
		for _, found := range s.file.findings {
			if found.Line < 1 || found.Column < 1 {
				t.Errorf("finding %q", found)
			}
		}
		if len(s.file.findings) > 0 {
			return
		}
		if _, err := newCasbinEngine(s, nil, newGraphs(s, nil, &settings{})); err != nil {
			t.Errorf("no finding, and no engine: %v", err)
		}
	})
}
