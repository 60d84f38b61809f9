// Package wrapped inspects values that are wrapped by others, so that a wrapper cannot hide
// what the wrapped value can do or must be protected from.
package wrapped

import (
	"iter"
	"reflect"
	"unsafe"
)

// maxDepth ends cyclic chains.
const maxDepth = 64

// Chain yields v, the result of its method Unwrap() W, and so on. It ends at the first
// value without that method, or whose method returns nil.
func Chain[W any](v W) iter.Seq[W] {
	return func(yield func(W) bool) {
		for range maxDepth {
			if any(v) == nil || !yield(v) {
				return
			}
			u, ok := any(v).(interface{ Unwrap() W })
			if !ok {
				return
			}
			v = u.Unwrap()
		}
	}
}

// As returns the first T in the chain of v.
func As[T, W any](v W) (t T, ok bool) {
	if t, ok = any(v).(T); ok { // the common case, without an iterator
		return t, true
	}
	for w := range Chain(v) {
		if t, ok = any(w).(T); ok {
			return t, true
		}
	}
	return t, false
}

// Inside returns the values directly inside v: the result of its method Unwrap() W, and
// those held by its fields, exported or not, also within structs, pointers, slices, arrays
// and maps. It does not descend into the values found.
//
// Fields are searched by static type, so values in fields of type any, and values captured
// by functions, are not found. Nothing else is read, since it may be changing concurrently.
// v must not be changing either: Inside is for use at assembly.
func Inside[W any](v W) []W {
	s := search[W]{part: reflect.TypeFor[W](), seen: map[unsafe.Pointer]bool{}}
	if u, ok := any(v).(interface{ Unwrap() W }); ok {
		if w := u.Unwrap(); any(w) != nil {
			s.found = append(s.found, w)
		}
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		s.pointer(rv)
	} else {
		s.content(rv)
	}
	return s.found
}

// Gather returns get(v) if v is a T, and otherwise the results of get for every T inside v,
// at any depth.
func Gather[W, T, E any](v W, get func(T) []E) []E { return gather(v, get, maxDepth) }

func gather[W, T, E any](v W, get func(T) []E, depth int) (all []E) {
	if t, ok := any(v).(T); ok {
		return get(t)
	}
	if depth == 0 {
		return nil
	}
	for _, inner := range Inside(v) {
		all = append(all, gather(inner, get, depth-1)...)
	}
	return all
}

// Sources returns every S that v is, wraps or is composed of. A composed rule always has
// the method RolesOf, so its RoleSources is used instead.
func Sources[S, W any](v W) []S {
	for w := range Chain(v) {
		if made, ok := any(w).(interface{ RoleSources() []S }); ok {
			return made.RoleSources()
		}
		if s, ok := any(w).(S); ok {
			return []S{s}
		}
	}
	return nil
}

// search is the state of one call of Inside.
type search[W any] struct {
	part  reflect.Type            // the type W
	seen  map[unsafe.Pointer]bool // pointers already followed
	found []W
}

// visit inspects a value held by v or by something in v.
func (s *search[W]) visit(v reflect.Value) {
	t := v.Type()
	switch {
	case !s.mayHold(t):
	case t.Implements(s.part):
		if v.Kind() == reflect.Interface && v.IsNil() {
			return
		}
		if w, ok := reflect.TypeAssert[W](readable(v)); ok {
			s.found = append(s.found, w)
		}
	case t.Kind() == reflect.Pointer:
		s.pointer(v)
	default:
		s.content(v)
	}
}

// pointer inspects what v points to, once.
func (s *search[W]) pointer(v reflect.Value) {
	if v.IsNil() || s.seen[v.UnsafePointer()] {
		return
	}
	s.seen[v.UnsafePointer()] = true
	s.content(v.Elem())
}

// content inspects what is in v, which is either the root or not itself a W.
func (s *search[W]) content(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if !v.CanAddr() { // unexported fields are read by address
			c := reflect.New(v.Type()).Elem()
			c.Set(v)
			v = c
		}
		for i := range v.NumField() {
			s.visit(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if s.mayHold(v.Type().Elem()) {
			for i := range v.Len() {
				s.visit(v.Index(i))
			}
		}
	case reflect.Map:
		if s.mayHold(v.Type().Elem()) {
			m := readable(v)
			for _, key := range m.MapKeys() {
				c := reflect.New(m.Type().Elem()).Elem()
				c.Set(m.MapIndex(key))
				s.visit(c)
			}
		}
	}
}

// readable returns v without the read-only flag of an unexported field.
func readable(v reflect.Value) reflect.Value {
	if v.CanInterface() || !v.CanAddr() {
		return v
	}
	return reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
}

// mayHold reports whether a value of type t can be a W or lead to one.
func (s *search[W]) mayHold(t reflect.Type) bool { return s.leads(t, map[reflect.Type]bool{}) }

func (s *search[W]) leads(t reflect.Type, passed map[reflect.Type]bool) bool {
	if t.Implements(s.part) {
		return true
	}
	if passed[t] {
		return false
	}
	passed[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return s.leads(t.Elem(), passed)
	case reflect.Struct:
		if t.PkgPath() == s.part.PkgPath() {
			return false // such as a guard, which inspects its own parts
		}
		for i := range t.NumField() {
			if s.leads(t.Field(i).Type, passed) {
				return true
			}
		}
	}
	return false
}
