package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	yaml "go.yaml.in/yaml/v4"
)

// get returns the value of a key, following aliases and merge keys; nil if there is none.
func get(n *yaml.Node, key string) *yaml.Node {
	items := merged(n)
	for i := 0; i < len(items); i += 2 {
		if items[i].Value == key {
			return resolveAlias(items[i+1])
		}
	}
	return nil
}

func resolveAlias(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// merged returns the keys and values of an object, with those merged by << after its own.
func merged(n *yaml.Node) []*yaml.Node {
	n = resolveAlias(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var own, others []*yaml.Node
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() != "!!merge" {
			own, seen[key.Value] = append(own, key, value), true
			continue
		}
		from := []*yaml.Node{value}
		if list := resolveAlias(value); list.Kind == yaml.SequenceNode {
			from = list.Content
		}
		for _, f := range from {
			others = append(others, merged(f)...)
		}
	}
	for i := 0; i < len(others); i += 2 {
		if key := others[i].Value; !seen[key] {
			own, seen[key] = append(own, others[i], others[i+1]), true
		}
	}
	return own
}

// maxValues is the maximum number of values in a document after expanding aliases.
const maxValues = 1 << 20

// walk traverses a tree and expands its aliases.
type walk struct {
	values int
	within map[*yaml.Node]bool
}

// check rejects a tree that could not be read back: one with cyclic aliases, with too many
// values after expansion, or with a duplicate key, whose meaning is ambiguous.
func (w *walk) check(n *yaml.Node) error {
	if w.values++; w.values > maxValues {
		return fmt.Errorf("it holds more than %d values with its aliases written out", maxValues)
	}
	if n = resolveAlias(n); len(n.Content) == 0 {
		return nil
	}
	if w.within[n] {
		return fmt.Errorf("line %d: an alias leads to the value that it is a part of: write the value out", n.Line)
	}
	w.within[n] = true
	defer delete(w.within, n)
	seen := map[string]bool{}
	for i, item := range n.Content {
		if key := item.Value; n.Kind == yaml.MappingNode && i%2 == 0 && item.Kind == yaml.ScalarNode {
			if seen[key] {
				return fmt.Errorf("the key %q stands twice in one object: take one of them out", key)
			}
			seen[key] = true
		}
		if err := w.check(item); err != nil {
			return err
		}
	}
	return nil
}

// setKey sets the value of a key, replacing an existing one in place.
func setKey(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
			return
		}
	}
	if n.Style&yaml.FlowStyle != 0 && len(n.Content) == 0 {
		n.Style &^= yaml.FlowStyle // {} cannot hold lines in block style
	}
	n.Content = append(n.Content, text(key), value)
}

// ensureChild returns the object under a key so that it can be changed: it is created if it does
// not exist, and copied if it is shared by an alias or a merge key.
func ensureChild(n *yaml.Node, key string) (*yaml.Node, error) {
	c := get(n, key)
	switch {
	case c == nil || c.Kind == yaml.ScalarNode && c.ShortTag() == "!!null":
		c = mapping()
		setKey(n, key, c)
		return c, nil
	case c.Kind != yaml.MappingNode:
		return nil, errors.New(key + " is not an object")
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key && n.Content[i+1] == c {
			return c, nil
		}
	}
	c = deepCopy(c)
	setKey(n, key, c)
	return c, nil
}

// deepCopy returns a deep copy without anchors.
func deepCopy(n *yaml.Node) *yaml.Node {
	c := *n
	c.Anchor, c.Content = "", make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		c.Content[i] = deepCopy(item)
	}
	return &c
}

// expandMergeKeys replaces the merge keys of an object by copies of what they merge.
func expandMergeKeys(n *yaml.Node) {
	own := n.Content
	n.Content = merged(n)
	for i, item := range n.Content {
		if !slices.Contains(own, item) {
			n.Content[i] = deepCopy(item)
		}
	}
}

func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func number(i int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(i)}
}

func boolean(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

func list() *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"} }

// mapping returns an object; items alternate between keys, which are strings, and values,
// which are nodes.
func mapping(items ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i < len(items); i += 2 {
		n.Content = append(n.Content, text(items[i].(string)), items[i+1].(*yaml.Node))
	}
	return n
}

// parseJSON parses JSON and keeps the order of keys.
func parseJSON(content []byte) (*yaml.Node, error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	n, err := nextJSON(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the object")
	}
	return n, nil
}

func nextJSON(d *json.Decoder, depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, errors.New("it is nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		n := list()
		if v == '{' {
			n = mapping()
		}
		for d.More() {
			item, err := nextJSON(d, depth+1) // object keys are always strings
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, item)
		}
		_, err := d.Token()
		return n, err
	case json.Number:
		tag := "!!float"
		if _, err := v.Int64(); err == nil {
			tag = "!!int"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}, nil
	case bool:
		return boolean(v), nil
	case string:
		return text(v), nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
}
