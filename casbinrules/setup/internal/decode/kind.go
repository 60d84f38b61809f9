package decode

import (
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// Kind is one of several kinds of a thing, as in "store: {redis: {…}}": its name
// and a pointer to its settings, nil if [Source.Absent] is set; or the zero Kind.
type Kind struct {
	Name     string
	Settings any
}

var kindType = reflect.TypeFor[Kind]()

// kind decodes n, a mapping with the name of the kind as its only key.
func (d *Document) kind(n *yaml.Node, k *Kind, f field, p place) {
	if !d.plain(n, p) {
		return
	}
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		key := p.key[strings.LastIndexByte(p.key, '.')+1:]
		name, more := "KIND", ""
		if !d.source.Absent {
			var settings reflect.Type
			if settings, more = d.source.Kinds(f.slot, n.Value); settings != nil {
				name = n.Value
			}
		}
		hint := strings.TrimSuffix("write "+key+": {"+name+": {…}}; "+more, "; ")
		d.fail(p, hint, "%s where one kind with its settings is expected", kindOf(n))
		return
	}
	name := n.Content[0]
	at := inside(p, name.Value, name)
	if !d.plain(name, at) || name.Kind != yaml.ScalarNode {
		return
	}
	if d.source.Absent {
		k.Name = name.Value
		return
	}
	settings, hint := d.source.Kinds(f.slot, name.Value)
	if settings == nil {
		d.fail(place{name.Line, name.Column, p.key}, hint, "there is no kind %q", name.Value)
		return
	}
	into := reflect.New(settings)
	d.places[into.Interface()] = at
	d.mapping(n.Content[1], into.Elem(), at)
	*k = Kind{name.Value, into.Interface()}
}
