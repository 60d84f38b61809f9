//go:build !unix || solaris || aix

package decisionlog

import "os"

// lock does nothing: the standard library has no advisory locks for this system.
func lock(*os.File) error { return nil }
