package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
)

// ErrNoPolicy is returned by [ParsePolicy] for a file without a policy.
var ErrNoPolicy = errors.New("has no policy")

// Policy describes the policy in a file, and how requests are read for it, for programs
// that need only that.
type Policy struct {
	// Model is the path of the model, or one of the ready ones rbac, rbac-deny,
	// rbac-tenants and rbac-tenants-patterns. Files are the policy files, or folders of them.
	Model string
	Files []string
	// Store is the kind of the store that holds the policy, "" for files. With a store
	// there are no Files, and Model is a name in the store, or that of a ready one.
	Store string
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
	// EncodedSlashes is the key encoded_slashes below requests.
	EncodedSlashes bool
}

// ParsePolicy parses the sections policy and requests of text, the content of a file at
// path. Relative paths start at the folder of path. It checks neither whether the files
// exist nor any other section, and needs no environment variables for these or for a
// store. A file without a policy is [ErrNoPolicy].
func ParsePolicy(path string, text []byte) (Policy, error) {
	source := decode.Source{Name: path, Dir: filepath.Dir(path), Env: os.LookupEnv, Absent: true}
	var read struct {
		Policy   *policyConfig   `key:"policy"`
		Requests *requestsConfig `key:"requests"`
	}
	if err := decode.Sections(text, source, &read); err != nil {
		return Policy{}, err
	}
	c := read.Policy
	if c == nil {
		return Policy{}, fmt.Errorf("setup: %s %w", path, ErrNoPolicy)
	}
	p := Policy{
		Model: c.Model, Store: c.Store.Name, Anonymous: c.Anonymous, Empty: c.Empty, TokenRoles: c.TokenRoles, RoutesAsObjects: c.Route,
		CasbinSemantics: c.AsCasbin, RolePrefix: c.Prefix, DefaultRole: c.Default, AttributeTypes: c.Types, Functions: c.Functions,
		RolePatterns: c.RolePatterns, TenantPatterns: c.TenantPatterns, EncodedSlashes: read.Requests != nil && read.Requests.EncodedSlashes,
	}
	if p.Store != "" {
		return p, nil
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
