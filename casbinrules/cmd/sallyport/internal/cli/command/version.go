package command

import "runtime/debug"

// Version returns the version of the module that the go command has recorded in the
// program: a release, or for a build in a clone "(devel)" or a version that names
// the commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
