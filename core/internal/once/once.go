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

// Once is Add for an option whose value was set with the result err, which it returns
// unless the option is refused.
func (o *Options) Once(name string, err error) error {
	if twice := o.Add(name); twice != nil {
		return twice
	}
	return err
}
