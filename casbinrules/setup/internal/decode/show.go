package decode

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// Show returns the decoded struct as YAML: first the keys of the file, as written,
// so that secrets and environment variables are not shown, and then the missing keys
// that have a default.
func (d *Document) Show(read any) ([]byte, error) {
	var b bytes.Buffer
	e, err := yaml.NewDumper(&b, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, err
	}
	if err := e.Dump(d.shown(reflect.ValueOf(read).Elem())); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// shown returns a struct as a mapping.
func (d *Document) shown(v reflect.Value) *yaml.Node {
	type entry struct {
		field   field
		value   reflect.Value
		pointer any
	}
	var had, defaults []entry
	for _, f := range fields(v.Type()) {
		e := entry{f, v.FieldByIndex(f.index), v.FieldByIndex(f.index).Addr().Interface()}
		switch {
		case d.Has(e.pointer):
			had = append(had, e)
		case f.fallback != "":
			defaults = append(defaults, e)
		}
	}
	slices.SortStableFunc(had, func(a, b entry) int { return d.Compare(a.pointer, b.pointer) })
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i, e := range slices.Concat(had, defaults) {
		value := d.shownValue(e.value, e.field)
		if i >= len(had) {
			value.LineComment = "default"
		}
		n.Content = append(n.Content, text(e.field.key), value)
	}
	return n
}

// shownValue returns one value as a node.
func (d *Document) shownValue(v reflect.Value, f field) *yaml.Node {
	switch t := v.Type(); {
	case t == kindType:
		k := v.Interface().(Kind)
		n := &yaml.Node{Kind: yaml.MappingNode}
		n.Content = append(n.Content, text(k.Name), d.shown(reflect.ValueOf(k.Settings).Elem()))
		return n
	case t == secretType:
		s := v.Interface().(Secret)
		if s.file == "" {
			return text(s.variable)
		}
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{text("file"), text(s.file)}}
	case isScalar(t):
		return d.shownScalar(v, f)
	case t.Kind() == reflect.Pointer:
		return d.shown(v.Elem())
	case t.Kind() == reflect.Struct:
		return d.shown(v)
	case t.Kind() == reflect.Map:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, name := range slices.Sorted(maps.Keys(v.Interface().(map[string]string))) {
			n.Content = append(n.Content, text(name), text(d.written[nameOf{v.Addr().Interface(), name}]))
		}
		return n
	}
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range v.Len() {
		n.Content = append(n.Content, d.shownValue(v.Index(i), f))
	}
	return n
}

// shownScalar returns a value as written, or the default.
func (d *Document) shownScalar(v reflect.Value, f field) *yaml.Node {
	written, ok := d.written[v.Addr().Interface()]
	if !ok {
		written = f.fallback
	}
	n := text(written)
	if v.Kind() == reflect.Bool || v.Kind() == reflect.Int || v.Type() == sizeType {
		if !strings.Contains(written, "${") {
			n.Tag = "" // without quotes
		}
	}
	return n
}

// text returns a node that is read as text again, whatever its content.
func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
