package decode

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// field is a struct field that is read from a key.
type field struct {
	key      string
	index    []int
	doc      string
	fallback string // the default, as it would be written
	required bool
	enum     []string
	missing  string
	once     bool
	slot     string
}

var fieldsOf sync.Map // caches []field by reflect.Type

// fields returns the keys of a struct, including those of embedded structs.
func fields(t reflect.Type) []field {
	if known, ok := fieldsOf.Load(t); ok {
		return known.([]field)
	}
	var all []field
	for _, f := range reflect.VisibleFields(t) {
		key := f.Tag.Get("key")
		if key == "" {
			continue
		}
		one := field{
			key: key, index: f.Index, doc: f.Tag.Get("doc"), fallback: f.Tag.Get("default"),
			required: f.Tag.Get("required") == "true", missing: f.Tag.Get("missing"), once: f.Tag.Get("once") == "true", slot: f.Tag.Get("slot"),
		}
		checkType(t, f.Name, f.Type)
		if enum := f.Tag.Get("enum"); enum != "" {
			one.enum = strings.Split(enum, ",")
		}
		all = append(all, one)
	}
	fieldsOf.Store(t, all)
	return all
}

// checkType panics for an unsupported type, which is a mistake in the program.
func checkType(of reflect.Type, name string, t reflect.Type) {
	switch {
	case t == kindType, t == secretType, isScalar(t), t.Kind() == reflect.Struct,
		t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct,
		t.Kind() == reflect.Map && t == reflect.TypeFor[map[string]string]():
	case t.Kind() == reflect.Slice:
		checkType(of, name, t.Elem())
	default:
		panic(fmt.Sprintf("decode: there is no way to read field %s of %v, a %v", name, of, t))
	}
}

// lookup finds the field of a key.
func lookup(all []field, key string) (field, bool) {
	for _, f := range all {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// keys returns the names of fields.
func keys(all []field) []string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.key
	}
	return names
}

// elsewhere returns the path of a key in another struct below t, or "".
func elsewhere(t reflect.Type, key string) string {
	for _, f := range fields(t) {
		if f.key == key {
			return key
		}
	}
	for _, f := range fields(t) {
		inner := t.FieldByIndex(f.index).Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() != reflect.Struct || isScalar(inner) {
			continue
		}
		if path := elsewhere(inner, key); path != "" {
			return f.key + "." + path
		}
	}
	return ""
}
