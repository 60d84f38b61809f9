// Package starter contains the files with which people begin a policy or a service.
package starter

import (
	"embed"
	"fmt"
	"path"

	"github.com/sallyport-go/sallyport/casbinrules"
)

//go:embed rbac rbac-deny rbac-tenants rbac-tenants-patterns app
var files embed.FS

// Presets are the models to start from, by name.
var Presets = map[string]func() casbinrules.Model{
	"rbac":         casbinrules.RBAC,
	"rbac-deny":    casbinrules.RBACWithDeny,
	"rbac-tenants": casbinrules.RBACWithTenants,

	"rbac-tenants-patterns": casbinrules.RBACWithTenantPatterns,
}

// File is a file to write.
type File struct{ Name, Text string }

// Files returns the files of a preset, one of [Presets].
func Files(preset string) ([]File, error) {
	model := Presets[preset]
	if model == nil {
		return nil, fmt.Errorf("there is no preset %q", preset)
	}
	made := []File{{"model.conf", model().Text()}}
	for _, name := range []string{"policy.csv", "policy.tests"} {
		text, err := files.ReadFile(path.Join(preset, name))
		if err != nil {
			return nil, err
		}
		made = append(made, File{name, string(text)})
	}
	return made, nil
}
