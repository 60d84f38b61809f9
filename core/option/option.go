// Package option applies functional options, for the packages of this project
// and for schemes and adapters written elsewhere.
package option

import "fmt"

// Apply calls each option with the target, in the order given. The first error
// ends it and is returned as it is. So is a nil option, by its place: "option 2
// is nil".
func Apply[T any, O ~func(T) error](target T, options []O) error {
	for i, o := range options {
		if o == nil {
			return fmt.Errorf("option %d is nil", i+1)
		}
		if err := o(target); err != nil {
			return err
		}
	}
	return nil
}
