package cli

import "runtime/debug"

// version is that of the module, as the go command has put it into the program:
// a release, or "(devel)" or a version that names the commit for one that was
// built in a clone.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
