// Package once refuses options that are given twice, of which the last would
// win without a word.
package once

import (
	"fmt"
	"slices"
)

// Options are the names of the options that were given so far. The zero value
// is ready to use.
type Options []string

// Add notes that the option called name was given, and refuses a second time.
func (o *Options) Add(name string) error {
	if slices.Contains(*o, name) {
		return fmt.Errorf("%s is given twice: give it once", name)
	}
	*o = append(*o, name)
	return nil
}
