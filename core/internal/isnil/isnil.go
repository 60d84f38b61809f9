// Package isnil detects nil values in interfaces, which would otherwise only fail at the
// first request.
package isnil

import "reflect"

// Value reports whether v is nil or an interface that holds a nil pointer,
// function or map.
func Value(v any) bool {
	if v == nil {
		return true
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map:
		return rv.IsNil()
	}
	return false
}
