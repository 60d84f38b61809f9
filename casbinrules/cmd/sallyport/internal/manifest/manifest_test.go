package manifest

import (
	"fmt"
	"strings"
	"testing"
)

const configMap = `# Who may do what in Argo CD.
apiVersion: v1
kind: Secret
metadata: {name: other}
data: {policy.csv: "p, secret, x, y"}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-rbac-cm
data:
  policy.default: role:readonly
  # The team.
  policy.csv: |
    # deployers
    p, role:deployer, applications, sync, shop/*, allow

    g, kim, role:deployer
  policy.ops.csv: |-
      p, role:ops, clusters, get, *, allow
  policy.one.csv: "p, role:one, logs, get, *, allow" # in one line
  policy.none.csv: ""
  scopes: '[groups]'
`

// TestRead: each rule has the same position as in the YAML, byte for byte.
func TestRead(t *testing.T) {
	t.Parallel()
	helm := "argo-cd:\n  configs:\n    rbac:\n      policy.csv: |\n        p, a, b, c\n      policy.default: ''\n"
	for name, c := range map[string]struct {
		text string
		keys []string
		want []string // by line, "" for the rest
		role string
	}{
		"Argo CD":         {configMap, []string{""}, []string{15: "# deployers", 16: "p, role:deployer, applications, sync, shop/*, allow", 18: "g, kim, role:deployer", 20: "p, role:ops, clusters, get, *, allow", 21: "p, role:one, logs, get, *, allow"}, "role:readonly"},
		"CRLF":            {strings.ReplaceAll(configMap, "\n", "\r\n"), []string{"argocd-rbac-cm/"}, []string{15: "# deployers", 16: "p, role:deployer, applications, sync, shop/*, allow", 18: "g, kim, role:deployer", 20: "p, role:ops, clusters, get, *, allow", 21: "p, role:one, logs, get, *, allow"}, "role:readonly"},
		"keys":            {configMap, []string{"policy.ops.csv", "argocd-rbac-cm/policy.one.csv"}, []string{20: "p, role:ops, clusters, get, *, allow", 21: "p, role:one, logs, get, *, allow"}, ""},
		"a chart":         {helm, []string{""}, []string{5: "p, a, b, c"}, ""},
		"its chart alone": {"configs:\n  rbac:\n    create: true\n    policy.csv: |\n      p, a, b, c\n", []string{""}, []string{5: "p, a, b, c"}, ""},
		"any values":      {"server:\n  rbac.d:\n    text: |2\n        p, a\n      p, b\n", []string{"server.rbac.d.text"}, []string{4: "  p, a", 5: "p, b"}, ""},
		"a list":          {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  data:\n    x.csv: p, a, b\n", []string{"x.csv"}, []string{7: "p, a, b"}, ""},
		"an alias":        {"x: &rules |\n  p, a\ny: *rules\n", []string{"y"}, []string{2: "p, a"}, ""},
		"the key itself":  {"p, a: p, a\n", []string{"p, a"}, []string{1: "p, a"}, ""},
		"a quote":         {"x: 'p, it, is'\n", []string{"x"}, []string{1: "p, it, is"}, ""},
	} {
		got, err := Read("f.yaml", []byte(c.text), c.keys)
		if err != nil || got.DefaultRole != c.role {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		raw := strings.Split(c.text, "\n")
		for i, line := range strings.Split(string(got.CSV), "\n") {
			want := ""
			if i+1 < len(c.want) {
				want = c.want[i+1]
			}
			if strings.TrimSpace(line) != strings.TrimSpace(want) {
				t.Errorf("%s: line %d is %q, want %q", name, i+1, line, want)
			}
			if at := len(line) - len(strings.TrimLeft(line, " ")); line != "" && !strings.HasPrefix(raw[i][at:], strings.TrimSpace(want)) {
				t.Errorf("%s: line %d: %q is not where it is in %q", name, i+1, line, raw[i])
			}
		}
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	two := "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  policy.csv: p, a\n"
	for text, c := range map[string]struct{ key, want string }{
		"x: [\n":                           {"", "f.yaml:"},
		"":                                 {"", "f.yaml:1:1: there is no policy.csv in a ConfigMap"},
		"kind: x\n":                        {"a.b", "no text at the key a.b"},
		"policy.csv: >\n  p, a\n  p, b\n":  {"", "f.yaml:1:13: policy.csv: the text is not written line by line"},
		"policy.csv: \"p, a\\np, b\\n\"\n": {"", "f.yaml:1:13: policy.csv: the text is not written line by line"},
		"policy.csv: \"p, \\u0061\"\n":     {"", "f.yaml:1:13: policy.csv: the text is escaped"},
		"policy.csv: 'p, it''s'\n":         {"", "the text is escaped"},
		"data: {policy.csv: 'p, a', policy.b.csv: 'p, b'}\nkind: ConfigMap\napiVersion: v1\n": {"", "f.yaml:1:42: policy.b.csv: another policy stands in the same line of the file"},
		"policy.csv: [p]\n":                                               {"", "f.yaml:1:13: policy.csv: a policy is a text"},
		two + strings.ReplaceAll(two, " a}", " b}"):                       {"", "f.yaml:12:3: there is a second policy, beside that of line 6"},
		"a: &a *a\n":                                                      {"a", "f.yaml:"},
		two + "  policy.csv: p, b\n":                                      {"", "f.yaml:7:3: the key policy.csv stands twice in one mapping"},
		two + "data:\n  policy.csv: p, b\n":                               {"", "f.yaml:7:1: the key data stands twice"},
		two + "  \"policy.csv\": p, b\n":                                  {"policy.csv", "f.yaml:7:3: the key policy.csv stands twice"},
		two + "  policy.default: x\n  policy.default: x\n":                {"", "f.yaml:8:3: the key policy.default stands twice"},
		"configs:\n  rbac:\n    policy.csv: p, a\n    policy.csv: p, a\n": {"", "f.yaml:4:5: the key policy.csv stands twice"},
		"x: &x {policy.b.csv: 'p, b'}\n" + "configs:\n  rbac:\n    <<: *x\n    policy.csv: p, a\n":                     {"", "f.yaml:4:5: a merge key beside a policy"},
		two + strings.Replace(two, "policy.csv: p, a", "<<: {policy.csv: 'p, root'}", 1):                               {"", "f.yaml:12:3: a merge key beside a policy"},
		two + strings.Replace(two, "policy.csv: p, a", "<<: [{x: y}, {policy.csv: 'p, root'}]", 1):                     {"policy.csv", "f.yaml:12:3: a merge key beside a policy"},
		two + "---\nx: &x {policy.csv: 'p, root'}\ny: &y {<<: *x}\napiVersion: v1\nkind: ConfigMap\ndata:\n  <<: *y\n": {"", "f.yaml:13:3: a merge key beside a policy"},
	} {
		if got, err := Read("f.yaml", []byte(text), []string{c.key}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %+v, %v, want %s", text, got, err, c.want)
		}
	}
}

// TestReadEndsWithAliases: aliases that recurse, or multiply to huge sizes, are read
// once.
func TestReadEndsWithAliases(t *testing.T) {
	t.Parallel()
	var doubled strings.Builder
	doubled.WriteString("apiVersion: v1\nkind: List\nitems:\n- &a0 {apiVersion: v1, kind: List, items: []}\n")
	for i := range 40 {
		fmt.Fprintf(&doubled, "- &a%d {apiVersion: v1, kind: List, items: [*a%d, *a%d]}\n", i+1, i, i)
	}
	one := "- apiVersion: v1\n  kind: ConfigMap\n  data: {policy.csv: 'p, a, b'}\n"
	for name, text := range map[string]string{
		"a list in itself":  "&a\napiVersion: v1\nkind: List\nitems:\n- *a\n" + one,
		"doubled lists":     doubled.String() + one,
		"the same twice":    "apiVersion: v1\nkind: List\nitems:\n- &a" + one[1:] + "- *a\n",
		"a merge of others": "x: &x {y: z}\n<<: *x\npolicies: {policy.csv: 'p, b'}\nconfigs:\n  rbac: {policy.csv: 'p, a, b'}\n",
		"a chart in itself": "configs: &a\n  rbac: {policy.csv: 'p, a, b'}\n  configs: *a\n",
	} {
		got, err := Read("f.yaml", []byte(text), []string{""})
		if err != nil || strings.TrimSpace(string(got.CSV)) != "p, a, b" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// FuzzRead checks that each line of the CSV is at its position in the YAML.
func FuzzRead(f *testing.F) {
	f.Add(configMap, "")
	f.Add("x: |\n  p, a\n\n   p, b\n", "x")
	f.Add("a: &x 'p'\nb: *x\n", "b")
	f.Fuzz(func(t *testing.T, text, key string) {
		got, err := Read("f", []byte(text), []string{key})
		if err != nil {
			return
		}
		raw := strings.Split(text, "\n")
		lines := strings.Split(string(got.CSV), "\n")
		if len(lines) != len(raw) {
			t.Fatalf("%d lines of %d", len(lines), len(raw))
		}
		for i, line := range lines {
			if at := len(line) - len(strings.TrimLeft(line, " ")); !strings.Contains(raw[i], line[at:]) || !strings.HasPrefix(raw[i][min(at, len(raw[i])):], line[at:]) {
				t.Errorf("line %d: %q of %q", i+1, line, raw[i])
			}
		}
	})
}
