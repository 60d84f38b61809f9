package decode

import (
	"reflect"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// plain reports whether n uses only the supported part of YAML.
func (d *Document) plain(n *yaml.Node, p place) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fail(p, "write the value out", "anchors and aliases are not supported")
	case n.Style&yaml.TaggedStyle != 0:
		d.fail(p, "leave the tag out", "tags such as %s are not supported", n.Tag)
	default:
		return true
	}
	return false
}

// mapping decodes the keys of n into a struct.
func (d *Document) mapping(n *yaml.Node, v reflect.Value, p place) {
	if !d.plain(n, p) {
		return
	}
	all := fields(v.Type())
	if n.ShortTag() == "!!null" {
		n = &yaml.Node{Kind: yaml.MappingNode}
	}
	if n.Kind != yaml.MappingNode {
		d.fail(p, "write KEY: VALUE, one a line", "%s where keys are expected: %s", kindOf(n), strings.Join(keys(all), ", "))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := inside(p, key.Value, key)
		if !d.plain(key, at) || !d.once(key, at, seen) {
			continue
		}
		f, ok := lookup(all, key.Value)
		if !ok {
			d.unknown(key, p, all)
			continue
		}
		d.value(value, v.FieldByIndex(f.index), f, at)
	}
	for _, f := range all {
		if seen[f.key] > 0 {
			continue
		}
		if f.required {
			d.fail(p, f.doc, "%s is missing", f.key)
		}
		d.fallback(v.FieldByIndex(f.index), f)
	}
}

// once reports whether a key is a text and not a repetition.
func (d *Document) once(key *yaml.Node, at place, seen map[string]int) bool {
	if key.Kind != yaml.ScalarNode || key.Value == "<<" {
		at.key = ""
		d.fail(at, "", "a key must be one word, such as realm")
		return false
	}
	if line := seen[key.Value]; line > 0 {
		d.fail(at, "", "the key stands in line %d already", line)
		return false
	}
	seen[key.Value] = key.Line
	return true
}

// unknown reports a key that the struct does not have.
func (d *Document) unknown(key *yaml.Node, p place, all []field) {
	known := "known here: " + strings.Join(keys(all), ", ")
	hint := known
	if near := nearest(key.Value, keys(all)); near != "" {
		hint = "did you mean " + near + "?"
	} else if path := elsewhere(d.top, key.Value); path != "" {
		hint = "it belongs to " + path
		if dot := strings.LastIndexByte(path, '.'); dot >= 0 {
			hint = key.Value + " belongs below " + path[:dot]
		}
		if p.key != "" { // below a section, whose own key may be meant
			hint += "; " + known
		}
	}
	at := place{key.Line, key.Column, p.key}
	d.fail(at, hint, "unknown key %q", key.Value)
}

// value decodes n, the value of key f at p, into v. Its place is recorded; for
// structs, that of their key.
func (d *Document) value(n *yaml.Node, v reflect.Value, f field, p place) {
	pointer := v.Addr().Interface()
	at := place{n.Line, n.Column, p.key}
	switch t := v.Type(); {
	case t == kindType:
		d.places[pointer] = p
		d.kind(n, v.Addr().Interface().(*Kind), f, p)
	case t == secretType:
		d.places[pointer] = at
		d.secret(n, v.Addr().Interface().(*Secret), at)
	case isScalar(t):
		d.places[pointer] = at
		d.scalar(n, v, f, at)
	case t.Kind() == reflect.Pointer:
		d.places[pointer] = p
		inner := reflect.New(t.Elem())
		d.places[inner.Interface()] = p
		v.Set(inner)
		d.mapping(n, inner.Elem(), p)
	case t.Kind() == reflect.Struct:
		d.places[pointer] = p
		d.mapping(n, v, p)
	case t.Kind() == reflect.Slice:
		d.places[pointer] = p
		d.list(n, v, f, p)
	case t.Kind() == reflect.Map:
		d.places[pointer] = p
		d.names(n, v, f, p)
	}
}

// list decodes a sequence, or a single value unless elements are structs.
func (d *Document) list(n *yaml.Node, v reflect.Value, f field, p place) {
	if !d.plain(n, p) {
		return
	}
	items := n.Content
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" && alone(v.Type().Elem()):
		items = []*yaml.Node{n}
	case n.Kind != yaml.SequenceNode:
		d.fail(p, "begin each with - on a line of its own", "%s where a list is expected", kindOf(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		at := place{item.Line, item.Column, p.key}
		if len(items) > 1 {
			at.key += "[" + strconv.Itoa(i) + "]"
		}
		d.value(item, v.Index(i), f, at)
	}
	if len(items) == 0 {
		d.fail(p, "leave the key out for none", "the list is empty")
	}
}

// nameOf identifies one value of a map, given by the pointer to the map.
type nameOf struct {
	names any
	name  string
}

// names decodes a mapping whose keys are chosen by the user.
func (d *Document) names(n *yaml.Node, v reflect.Value, f field, p place) {
	if !d.plain(n, p) {
		return
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		d.fail(p, "write NAME: VALUE, one a line", "%s where names with values are expected", kindOf(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := inside(p, key.Value, key)
		if !d.plain(key, at) || !d.once(key, at, seen) {
			continue
		}
		one := reflect.New(v.Type().Elem()).Elem()
		d.value(n.Content[i+1], one, f, at)
		v.SetMapIndex(reflect.ValueOf(key.Value), one)
		if text, ok := d.written[one.Addr().Interface()]; ok {
			d.written[nameOf{v.Addr().Interface(), key.Value}] = text
		}
	}
}

// kindOf describes n in messages.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "keys"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return "one value"
}
