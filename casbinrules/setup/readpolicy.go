package setup

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
)

// Policy describes the policy in a file, for programs that need only that.
type Policy struct {
	// Model is the path of the model, or one of the ready ones rbac, rbac-deny,
	// rbac-tenants and rbac-tenants-patterns. Files are the policy files, or folders of them.
	Model string
	Files []string
	// Anonymous, Empty, TokenRoles, RoutesAsObjects and CasbinSemantics are the keys
	// anonymous, empty, token_roles, route_as_object and casbin_semantics.
	Anonymous, Empty, TokenRoles, RoutesAsObjects, CasbinSemantics bool
	// RolePrefix and DefaultRole are the keys role_prefix and default_role; AttributeTypes and Functions are the keys
	// attribute_types and functions.
	RolePrefix, DefaultRole   string
	AttributeTypes, Functions map[string]string
	// RolePatterns and TenantPatterns are the keys role_patterns and tenant_patterns.
	RolePatterns   map[string]string
	TenantPatterns []string
}

// ParsePolicy parses the section policy of text, the content of a file at path.
// Relative paths start at the folder of path. It checks neither whether the files
// exist nor any other section, whose environment variables are not needed. A file
// without a policy, or with one in a store, is an error.
func ParsePolicy(path string, text []byte) (Policy, error) {
	source := decode.Source{Name: path, Dir: filepath.Dir(path), Env: os.LookupEnv, Kinds: lookupKind, Absent: true}
	var read struct {
		Policy *policyConfig `key:"policy"`
	}
	found, err := decode.Section(text, source, "policy", &read)
	if err != nil {
		return Policy{}, err
	}
	if !found || read.Policy == nil {
		return Policy{}, fmt.Errorf("setup: %s has no policy", path)
	}
	c := read.Policy
	if c.Store.Settings != nil {
		return Policy{}, fmt.Errorf("setup: the policy of %s is in a store, and not in files", path)
	}
	p := Policy{
		Model: c.Model, Anonymous: c.Anonymous, Empty: c.Empty, TokenRoles: c.TokenRoles, RoutesAsObjects: c.Route,
		CasbinSemantics: c.AsCasbin, RolePrefix: c.Prefix, DefaultRole: c.Default, AttributeTypes: c.Types, Functions: c.Functions,
		RolePatterns: c.RolePatterns, TenantPatterns: c.TenantPatterns,
	}
	if readyModels[p.Model] == nil && !filepath.IsAbs(p.Model) {
		p.Model = filepath.Join(source.Dir, p.Model)
	}
	for _, f := range c.Files {
		p.Files = append(p.Files, string(f))
	}
	if len(p.Files) == 0 {
		return Policy{}, fmt.Errorf("setup: the policy of %s names no files", path)
	}
	return p, nil
}
