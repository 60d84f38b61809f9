package cli

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

// argoBuiltin is like the built-in roles of Argo CD.
const argoBuiltin = `p, role:readonly, applications, get, */*, allow
p, role:readonly, projects, get, *, allow
p, role:admin, applications, *, */*, allow
g, role:admin, role:readonly
g, admin, role:admin
`

const argoConfigMap = `apiVersion: v1
kind: Namespace
metadata: {name: argocd}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-rbac-cm
data:
  policy.default: role:readonly
  policy.csv: |
    # The shop's team deploys it.
    p, role:deployer, applications, sync, shop/*, allow
    g, kim, role:deployer
  policy.freeze.csv: |
    p, role:deployer, applications, sync, shop/legacy, deny
`

// TestPolicyInConfigMap: findings, decisions and effects refer to lines and columns of
// the YAML file.
func TestPolicyInConfigMap(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"model.conf": argoModel, "builtin.csv": argoBuiltin, "argocd-rbac-cm.yaml": argoConfigMap,
		"new.yaml":         strings.NewReplacer("shop/*, allow", "*/*, allow", "    g, kim, role:deployer\n", "    g, kim, role:deployer\n    g, lee, role:deployer\n").Replace(argoConfigMap),
		"default.yaml":     strings.Replace(argoConfigMap, "default: role:readonly", "default: role:admin", 1),
		"broken.yaml":      strings.Replace(argoConfigMap, "role:deployer, applications, sync, shop/*, allow", "role:deployer, applications, sync, shop/*, alow", 1),
		"folded.yaml":      strings.Replace(argoConfigMap, "policy.csv: |", "policy.csv: >", 1),
		"values.yaml":      "argo-cd:\n  configs:\n    rbac:\n      policy.csv: |\n        p, role:deployer, applications, sync, shop/*, allow\n        g, kim, role:deployer\n",
		"any.yaml":         "rules:\n  own.csv: |\n    p, role:deployer, applications, sync, shop/*, allow\n    g, kim, role:deployer\n",
		"all.yaml/own.csv": "p, role:deployer, applications, sync, shop/*, allow\ng, kim, role:deployer\n", // in a directory
		"a.tests": "allow kim res=applications shop/cart sync\ndeny kim res=applications shop/legacy sync # frozen\ndeny kim res=applications bank/core sync\n" +
			"allow stranger[] res=applications bank/core get # everybody reads\ndeny anonymous bank/core get\n",
	})
	with := func(command, file string, more ...string) []string {
		return append([]string{command, "-m", "DIR/model.conf", "-p", "DIR/builtin.csv", "-p", "DIR/" + file, "--function", "globOrRegexMatch=globMatch"}, more...)
	}
	expect(t, dir, "", exitOK, "5 passed, 0 failed\n", "", with("test", "argocd-rbac-cm.yaml", "DIR/a.tests")...)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitOK, "argocd-rbac-cm.yaml:13 allows it", with("explain", "argocd-rbac-cm.yaml", "--claim", "res=applications", "kim", "shop/cart", "sync")},
		{exitOK, "argocd-rbac-cm.yaml:16 denies it", with("explain", "argocd-rbac-cm.yaml", "--claim", "res=applications", "kim", "shop/legacy", "sync")},
		{exitOK, "roles: kim → role:deployer (argocd-rbac-cm.yaml:14)", with("explain", "argocd-rbac-cm.yaml#argocd-rbac-cm/", "--claim", "res=applications", "kim", "shop/cart", "sync")},
		{exitOK, "values.yaml:5 allows it", with("explain", "values.yaml", "--claim", "res=applications", "kim", "shop/cart", "sync")},
		{exitOK, "any.yaml:3 allows it", with("explain", "any.yaml#rules.own.csv", "--claim", "res=applications", "kim", "shop/cart", "sync")},
		{exitOK, "own.csv:1 allows it", with("explain", "all.yaml", "--claim", "res=applications", "kim", "shop/cart", "sync")},
		{exitFindings, "broken.yaml:13:51: error: ", with("lint", "broken.yaml")},
		{exitFindings, `"startColumn": 51`, with("lint", "broken.yaml", "--format", "sarif")},
		{exitOK, "+ ", []string{"diff", "-m", "DIR/model.conf", "--function", "globOrRegexMatch=globMatch", "--claim", "res=applications", "DIR/argocd-rbac-cm.yaml", "DIR/new.yaml"}},
		{exitOK, "allow\n", with("check", "argocd-rbac-cm.yaml")},
	} {
		got := run(t, dir, "stranger, applications, get, bank/core\n", c.args...)
		if got.Code != c.code || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%v: no %q, or not %d, in %+v", c.args, c.want, c.code, got)
		}
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"means nothing with --as-casbin", with("check", "argocd-rbac-cm.yaml", "--as-casbin")},
		{"folded.yaml:11:15: policy.csv: the text is not written line by line", with("lint", "folded.yaml")},
		{"there is no text at the key nope", with("lint", "any.yaml#nope")},
		{"there is no policy none.yaml", with("lint", "none.yaml#x")},
		{"push publishes policy files", append(with("push", "argocd-rbac-cm.yaml"), "--store", "postgres://127.0.0.1:1/x")},
	} {
		if got := run(t, dir, "", c.args...); got.Code != exitUsage || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%v: no %q in %+v", c.args, c.want, got)
		}
	}
}

// TestDefaultRoleIsAskedAlone: a denial of the subject does not affect what the default
// role allows, and a denial of that role affects no one else.
func TestDefaultRoleIsAskedAlone(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"model.conf": argoModel,
		"builtin.csv": argoBuiltin + "p, role:readonly, applications, sync, */*, deny\n" +
			"p, role:deployer, applications, get, bank/*, deny\np, kim, projects, get, *, deny\n",
		"cm.yaml": argoConfigMap,
		"a.tests": "allow kim res=applications bank/core get\nallow kim res=projects bank get\nallow lee[role:deployer] res=applications bank/core get\n" +
			"allow kim res=applications shop/cart sync\nallow lee[role:deployer] res=applications shop/cart sync\n" +
			"deny kim res=applications shop/legacy sync\ndeny stranger[] res=applications shop/cart sync\ndeny anonymous shop/cart get\n",
	})
	flags := []string{"-m", "DIR/model.conf", "-p", "DIR/builtin.csv", "-p", "DIR/cm.yaml", "--function", "globOrRegexMatch=globMatch"}
	expect(t, dir, "", exitOK, "8 passed, 0 failed\n", "", append([]string{"test", "DIR/a.tests"}, flags...)...)
	expect(t, dir, "kim, applications, get, bank/core\nkim, applications, sync, shop/cart\nstranger, applications, sync, shop/cart\n",
		exitOK, "allow\nallow\ndeny\n", "", append([]string{"check"}, flags...)...)
	for args, want := range map[string]string{
		"kim bank/core get":     "allow: kim (role:readonly) may get bank/core: builtin.csv:1 allows it",
		"kim shop/cart sync":    "allow: kim may sync shop/cart: cm.yaml:13 allows it",
		"lee shop/cart sync":    "the role of everybody, \"role:readonly\", does not allow it when it is asked alone",
		"kim shop/legacy sync":  "cm.yaml:16 denies it",
		"anonymous any/one get": "deny: anonymous may not",
	} {
		all := append([]string{"explain", "--claim", "res=applications"}, append(flags, strings.Fields(args)...)...)
		if got := run(t, dir, "", all...); got.Code != exitOK || !strings.Contains(got.Stdout, want) {
			t.Errorf("%s: no %q in %+v", args, want, got)
		}
	}
}

// TestCIOfConfigMap compares a ConfigMap with that in the base.
func TestCIOfConfigMap(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"apps/model.conf": argoModel, "apps/argocd-rbac-cm.yaml": argoConfigMap})
	git := clitest.Commit(t, dir)
	git("checkout", "-q", "-b", "branch")
	git("commit", "-q", "--allow-empty", "-m", "nothing") // so that the base is not HEAD
	args := []string{"ci", "-p", "DIR/apps/argocd-rbac-cm.yaml", "--function", "globOrRegexMatch=globMatch", "--fail-on", "widen", "--lint", "error"}
	if got := run(t, dir, "", args...); got.Code != exitOK || !strings.Contains(got.Stdout, "no change in effect") {
		t.Errorf("unchanged: %+v", got)
	}
	for _, c := range []struct{ old, new, want string }{
		{"g, kim, role:deployer\n", "g, kim, role:deployer\n    g, lee, role:deployer\n", "argocd-rbac-cm.yaml:13)"},
		{"default: role:readonly", "default: role:deployer", "(no other role) res=applications gains sync shop/* (new argocd-rbac-cm.yaml:13)"},
		{"  policy.freeze.csv: |\n    p, role:deployer, applications, sync, shop/legacy, deny\n", "", "+ "},
	} {
		edit(t, dir, "apps/argocd-rbac-cm.yaml", strings.Replace(argoConfigMap, c.old, c.new, 1))
		if got := run(t, dir, "", args...); got.Code != exitFindings || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%q: no %q in %+v", c.new, c.want, got)
		}
	}
}
