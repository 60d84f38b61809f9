package policy

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

func TestNamesOfRoles(t *testing.T) {
	text := strings.Replace(model.Preset("rbac_tenants.conf"), "g = _, _, _", "g = _, _, _\ng2 = _, _, _", 1)
	p := NewReader(model.ReadSchema("model.conf", text, &model.Settings{Casbin: casbinv2.Casbin}), &model.Settings{Casbin: casbinv2.Casbin})
	p.Read("policy.csv", []byte("p, p1, acme, /a, GET\ng, ann, editor, acme\ng2, /a, files, acme\n"))
	n := TextsOf(p.Rules)
	for _, name := range []string{"editor", Anonymous} {
		if !n.IsRole(n.Known(name)) {
			t.Errorf("%s is no role", name)
		}
	}
	for _, name := range []string{"ann", "p1", "files", "acme", "", "\x00"} {
		if n.IsRole(n.Known(name)) {
			t.Errorf("%q is a role", name)
		}
	}
	if n.Role("ed", "itor") != n.Known("editor") || n.Role("", "editor") != n.Known("editor") {
		t.Error("a prefixed role is not found")
	}
}
