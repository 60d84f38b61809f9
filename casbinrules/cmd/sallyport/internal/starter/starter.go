// Package starter holds the files that people begin a policy, or a service, with.
package starter

import (
	"embed"
	"path"

	"github.com/sallyport-go/sallyport/casbinrules"
)

//go:embed rbac rbac-deny rbac-tenants rbac-tenants-patterns app
var files embed.FS

// File is a file to be written.
type File struct{ Name, Text string }

// Files are those of a preset with its model.
func Files(preset string, model casbinrules.Model) ([]File, error) {
	made := []File{{"model.conf", model.Text()}}
	for _, name := range []string{"policy.csv", "policy.tests"} {
		text, err := files.ReadFile(path.Join(preset, name))
		if err != nil {
			return nil, err
		}
		made = append(made, File{name, string(text)})
	}
	return made, nil
}
