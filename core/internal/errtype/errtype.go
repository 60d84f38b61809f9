// Package errtype finds errors by their type, like errors.AsType of Go 1.26.
package errtype

import "errors"

// As returns the first E in the tree of err.
func As[E error](err error) (e E, ok bool) {
	ok = errors.As(err, &e)
	return e, ok
}

// In reports whether the tree of err has an E.
func In[E error](err error) bool {
	_, ok := As[E](err)
	return ok
}
