//go:build !unix || solaris || aix

package decisionlog

import "os"

// lock does nothing where there are no advisory locks in the standard library.
func lock(*os.File) error { return nil }
