// Package once refuses options that are given twice, where otherwise the last would
// silently win.
package once

import (
	"fmt"
	"slices"
)

// Options holds the names of the options given so far. The zero value is ready to
// use.
type Options []string

// Add records that the named option was given, and refuses it the second time.
func (o *Options) Add(name string) error {
	if slices.Contains(*o, name) {
		return fmt.Errorf("%s is given twice: give it once", name)
	}
	*o = append(*o, name)
	return nil
}
