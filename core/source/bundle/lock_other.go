//go:build !unix || solaris || aix

package bundle

import "context"

// lockDir does nothing: the standard library has no advisory locks for this system.
func lockDir(context.Context, string) (unlock func(), err error) { return func() {}, nil }
