// Package wrapped looks into parts that are wrapped by others, so that a
// wrapper cannot hide what the wrapped part can do or must be protected from.
package wrapped

import (
	"iter"
	"reflect"
	"unsafe"
)

// maxDepth ends chains that lead back to themselves.
const maxDepth = 64

// Chain is v, what its method Unwrap() W returns, and so on. It ends at the
// first without that method, or whose method returns nil.
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

// As is the first in the chain of v that is a T.
func As[T, W any](v W) (t T, ok bool) {
	if t, ok = any(v).(T); ok { // as most are, without an iterator
		return t, true
	}
	for w := range Chain(v) {
		if t, ok = any(w).(T); ok {
			return t, true
		}
	}
	return t, false
}

// Inside are the parts directly inside v: what its method Unwrap() W returns
// and what its fields hold, exported or not, also in structs, pointers, slices,
// arrays and maps. It does not look into the parts themselves.
//
// Fields are found by their static type, so one of type any, and what a
// function has captured, stay unseen. Nothing else is read, since it may be
// changing. v must not be changing either: Inside is for assembly.
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

// Gather is what get gives for v if v is a T, and otherwise for all T inside v,
// however deep.
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

// Sources are the S that v is, wraps or is made of. A rule that is made of
// others has RolesOf in any case, so what it says with RoleSources counts.
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

// search is one call of Inside.
type search[W any] struct {
	part  reflect.Type            // W
	seen  map[unsafe.Pointer]bool // where pointers led
	found []W
}

// visit looks at a value that v, or something in v, holds.
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

// pointer looks at what v points to, once.
func (s *search[W]) pointer(v reflect.Value) {
	if v.IsNil() || s.seen[v.UnsafePointer()] {
		return
	}
	s.seen[v.UnsafePointer()] = true
	s.content(v.Elem())
}

// content looks at what is in v, which is no part or the one that is searched.
func (s *search[W]) content(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if !v.CanAddr() { // fields that are not exported are read by address
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

// readable is v without the mark of a field that is not exported.
func readable(v reflect.Value) reflect.Value {
	if v.CanInterface() || !v.CanAddr() {
		return v
	}
	return reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
}

// mayHold reports whether a value of type t can be, or lead to, a part.
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
			return false // such as a guard, which looks after its parts itself
		}
		for i := range t.NumField() {
			if s.leads(t.Field(i).Type, passed) {
				return true
			}
		}
	}
	return false
}
