package decode

import (
	"fmt"
	"reflect"
	"strings"
)

// Key describes one key of a struct.
type Key struct {
	Name, Value, Default, Doc string
	Required                  bool
	// Section is the struct below the key, or nil.
	Section reflect.Type
}

// Describe lists the keys of a struct.
func Describe(t reflect.Type) []Key {
	var all []Key
	for _, f := range fields(t) {
		inner := t.FieldByIndex(f.index).Type
		k := Key{Name: f.key, Value: valueName(inner, f), Default: f.fallback, Doc: f.doc, Required: f.required}
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice && !isScalar(inner.Elem()) {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && !isScalar(inner) && inner != secretType && inner != kindType {
			k.Section = inner
		}
		all = append(all, k)
	}
	return all
}

// valueName describes the values of a key in a few words.
func valueName(t reflect.Type, f field) string {
	switch {
	case t == kindType:
		return "one kind"
	case t == secretType:
		return "secret"
	case len(f.enum) > 0 && t.Kind() == reflect.Slice:
		return "list of " + strings.Join(f.enum, ", ")
	case len(f.enum) > 0:
		return strings.Join(f.enum, ", ")
	}
	switch t.Kind() {
	case reflect.Map:
		return "names, each with " + valueName(t.Elem(), f)
	case reflect.Slice:
		switch {
		case t.Elem() == kindType:
			return "list of kinds"
		case alone(t.Elem()):
			return valueName(t.Elem(), field{}) + ", or a list"
		}
		return "list of keys"
	case reflect.Pointer:
		return "keys"
	}
	return scalarTypeOf(t).value
}

// Schema returns a JSON schema (draft 7) of a struct, for encoding/json. kinds lists
// the settings of the kinds of a slot.
func Schema(t reflect.Type, kinds func(slot string) map[string]reflect.Type) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, f := range fields(t) {
		s := schemaOf(t.FieldByIndex(f.index).Type, f, kinds)
		if f.doc != "" {
			s["description"] = f.doc
		}
		if f.fallback != "" {
			s["default"] = f.fallback
			switch f.fallback {
			case "true", "false":
				s["default"] = f.fallback == "true"
			}
		}
		properties[f.key] = s
		if f.required {
			required = append(required, f.key)
		}
	}
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// variablePattern matches texts that contain a variable, whose value may be of any
// type.
const variablePattern = `\$\{[A-Za-z_][A-Za-z0-9_]*\}`

// schemaOf returns the schema of a value.
func schemaOf(t reflect.Type, f field, kinds func(string) map[string]reflect.Type) map[string]any {
	text := map[string]any{"type": "string", "minLength": 1}
	or := func(other map[string]any) map[string]any {
		return map[string]any{"anyOf": []any{other, map[string]any{"type": "string", "pattern": variablePattern}}}
	}
	switch {
	case t == kindType:
		properties := map[string]any{}
		for name, settings := range kinds(f.slot) {
			properties[name] = Schema(settings, kinds)
		}
		return map[string]any{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1}
	case t == secretType:
		file := map[string]any{"type": "object", "properties": map[string]any{"file": text}, "additionalProperties": false, "required": []string{"file"}}
		return map[string]any{"anyOf": []any{file, map[string]any{"type": "string", "pattern": "^" + variablePattern + "$"}}}
	case isScalar(t):
		return scalarSchema(t, f, text, or)
	}
	switch t.Kind() {
	case reflect.Pointer:
		s := Schema(t.Elem(), kinds)
		if s["required"] == nil {
			s["type"] = []string{"object", "null"} // "session:" with nothing after it
		}
		return s
	case reflect.Struct:
		return Schema(t, kinds)
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), f, kinds), "minProperties": 1}
	}
	item := schemaOf(t.Elem(), f, kinds)
	list := map[string]any{"type": "array", "items": item, "minItems": 1}
	if !alone(t.Elem()) {
		return list
	}
	return map[string]any{"anyOf": []any{item, list}}
}

// scalarSchema returns the schema of a scalar value.
func scalarSchema(t reflect.Type, f field, text map[string]any, or func(map[string]any) map[string]any) map[string]any {
	switch {
	case len(f.enum) > 0:
		return or(map[string]any{"enum": f.enum})
	case t == durationType:
		return or(map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`})
	case t == sizeType:
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": 0},
			map[string]any{"type": "string", "pattern": fmt.Sprintf(`^[0-9]+ ?([KMG]iB)?$|%s`, variablePattern)},
		}}
	case t.Kind() == reflect.Bool:
		return or(map[string]any{"type": "boolean"})
	case t.Kind() == reflect.Int:
		return or(map[string]any{"type": "integer"})
	}
	return text
}
