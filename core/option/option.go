// Package option makes and applies functional options, for the packages of this
// project and for schemes and adapters written elsewhere.
package option

import (
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core/internal/isnil"
)

// Apply calls each option with the target, in the order given, and returns the
// first error. A nil option is an error that says which, such as "option 2 is nil".
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

// Set sets *field to value, or returns an error with the text missing if value is
// nil, an interface that holds a nil pointer, function or map, or the empty string.
func Set[V any](field *V, value V, missing string) error {
	if text, ok := any(value).(string); isnil.Value(value) || ok && text == "" {
		return errors.New(missing)
	}
	*field = value
	return nil
}

// SetOnce is [Set] for a field that is nil or empty until an option sets it, which
// errors call what. A second value is an error, where otherwise the first, such as a
// check that must not be lost, would silently have no effect.
func SetOnce[V any](field *V, value V, what string) error {
	if Set(new(V), *field, "") == nil {
		return errors.New(what + " is given twice")
	}
	if _, ok := any(value).(string); ok {
		return Set(field, value, what+" is empty")
	}
	return Set(field, value, what+" is nil")
}

// SetUnless sets *field to value, or returns an error in a format of [fmt.Errorf] if
// value is invalid. It is for values within limits:
//
//	option.SetUnless(&s.size, n, n < 1, "size %d: must be at least 1", n)
func SetUnless[V any](field *V, value V, invalid bool, format string, args ...any) error {
	if invalid {
		return fmt.Errorf(format, args...)
	}
	*field = value
	return nil
}

// On sets *field to true, for an option without a value.
func On(field *bool) error {
	*field = true
	return nil
}
