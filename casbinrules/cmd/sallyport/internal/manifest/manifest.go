// Package manifest reads policies embedded in YAML: in Kubernetes ConfigMaps such
// as Argo CD's argocd-rbac-cm, and in values of Helm charts.
package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// maxSize is the maximum size of a file in bytes: somewhat more than that of a Kubernetes
// object.
const maxSize = 4 << 20

// Policy is the policy in a YAML file.
type Policy struct {
	// CSV is a policy file with the same lines and columns as the YAML file: each rule is
	// at its original position, and everything else is blank.
	CSV []byte
	// DefaultRole is policy.default, the role of everybody, or "". Place is its location.
	DefaultRole, Place string
}

// Error says where and why a file cannot be read as a policy.
type Error struct {
	File         string
	Line, Column int // from 1
	Message      string
}

// Error returns "file:line:column: message".
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Split reports whether a path refers to a policy in YAML, and splits it into the file and
// the key after "#", "" for none.
func Split(path string) (file, key string, ok bool) {
	file, key, _ = strings.Cut(path, "#")
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml":
		return file, key, true
	}
	return path, "", false
}

type reading struct {
	name     string
	lines    []string // of the YAML file
	out      []string
	policy   *Policy
	found    []*yaml.Node // values that were used
	defaults *yaml.Node
}

// Read reads the policies in a YAML file; name is used for the file in errors.
//
// A key is a dotted path of keys, in a ConfigMap without "data". A prefix "NAME/", or
// "NAME/" alone, selects the ConfigMap with that name. Without a key, the policies are
// those that Argo CD reads: policy.csv and all policy.*.csv in a ConfigMap, or in
// configs.rbac of the values of its chart, also as a subchart; policy.default is the role
// of everybody.
func Read(name string, text []byte, keys []string) (*Policy, error) {
	if len(text) > maxSize {
		return nil, &Error{name, 1, 1, fmt.Sprintf("the file is larger than %d bytes", maxSize)}
	}
	documents, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(text), "\n")
	r := &reading{name: name, lines: lines, out: make([]string, len(lines)), policy: &Policy{}}
	for _, key := range keys {
		before := len(r.found)
		if err := r.collect(documents, key); err != nil {
			return nil, err
		}
		if len(r.found) == before {
			return nil, r.missing(key)
		}
	}
	r.policy.CSV = []byte(strings.Join(r.out, "\n"))
	return r.policy, nil
}

func (r *reading) missing(key string) error {
	if key == "" || strings.HasSuffix(key, "/") {
		return &Error{r.name, 1, 1, "there is no policy.csv in a ConfigMap or in configs.rbac here: name its key behind the file, as in " + r.name + "#KEY"}
	}
	return &Error{r.name, 1, 1, fmt.Sprintf("there is no text at the key %s in any document here", key)}
}

func parse(name string, text []byte) ([]*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var all []*yaml.Node
	for {
		var n yaml.Node
		err := loader.Load(&n)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if at, ok := errors.AsType[*yaml.LoadError](err); ok {
			return nil, &Error{name, max(at.Mark.Line, 1), max(at.Mark.Column, 1), at.Message}
		}
		if err != nil {
			return nil, &Error{name, 1, 1, err.Error()}
		}
		one := &n
		if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
			one = n.Content[0]
		}
		if twice := duplicate(one); twice != nil {
			return nil, &Error{name, twice.Line, twice.Column, fmt.Sprintf("the key %s stands twice in one mapping: take one of them out", twice.Value)}
		}
		all = append(all, one)
	}
}

// duplicate returns a duplicate key in a mapping below n, nil if there is none.
func duplicate(n *yaml.Node) *yaml.Node {
	seen := map[string]bool{}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode {
			if seen[child.Value] {
				return child
			}
			seen[child.Value] = true
		}
		if twice := duplicate(child); twice != nil {
			return twice
		}
	}
	return nil
}

// collect collects the policies at one key from all documents.
func (r *reading) collect(documents []*yaml.Node, key string) error {
	configMap, path, named := strings.Cut(key, "/")
	if !named {
		configMap, path = "", key
	}
	var from []*yaml.Node // mappings that contain policies
	for _, doc := range documents {
		for _, m := range holders(doc, configMap, map[*yaml.Node]bool{}) {
			if slices.Contains(from, m) {
				continue // an alias of a mapping already seen
			}
			has := hasPolicy
			if path != "" {
				has = func(m *yaml.Node) bool { return lookup(m, path) != nil }
			}
			if merge := mergeOf(m, has); merge != nil {
				return &Error{r.name, merge.Line, merge.Column, "a merge key beside a policy: write the keys that it stands for here, so that findings have a place"}
			}
			if has(m) {
				from = append(from, m)
			}
		}
	}
	if len(from) > 1 {
		return &Error{r.name, from[1].Line, from[1].Column, fmt.Sprintf("there is a second policy, beside that of line %d: name the ConfigMap behind the file, as in %s#NAME/%s", from[0].Line, r.name, path)}
	}
	for _, m := range from {
		if path != "" {
			if err := r.copyValue(path, lookup(m, path)); err != nil {
				return err
			}
			continue
		}
		if err := r.collectArgo(m); err != nil {
			return err
		}
	}
	return nil
}

// collectArgo collects what Argo CD reads.
func (r *reading) collectArgo(m *yaml.Node) error {
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], deref(m.Content[i+1])
		switch {
		case isPolicyKey(key.Value):
			if err := r.copyValue(key.Value, value); err != nil {
				return err
			}
		case key.Value == "policy.default" && value.Kind == yaml.ScalarNode && value.ShortTag() != "!!null":
			if r.defaults != nil {
				return &Error{r.name, key.Line, key.Column, "policy.default stands twice"}
			}
			r.defaults = value
			r.policy.DefaultRole = strings.TrimSpace(value.Value)
			r.policy.Place = fmt.Sprintf("%s:%d:%d", r.name, value.Line, value.Column)
		}
	}
	return nil
}

func isPolicyKey(key string) bool {
	return key == "policy.csv" || strings.HasPrefix(key, "policy.") && strings.HasSuffix(key, ".csv")
}

// mergeOf returns the merge key of a mapping that contains a policy, or merges one in; nil
// for other mappings. Further merge keys are not followed.
func mergeOf(m *yaml.Node, has func(*yaml.Node) bool) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, from := m.Content[i], []*yaml.Node{deref(m.Content[i+1])}
		if key.ShortTag() != "!!merge" {
			continue
		}
		if from[0].Kind == yaml.SequenceNode {
			from = from[0].Content
		}
		if has(m) || slices.ContainsFunc(from, func(n *yaml.Node) bool { n = deref(n); return has(n) || get(n, "<<") != nil }) {
			return key
		}
	}
	return nil
}

func hasPolicy(m *yaml.Node) bool {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if isPolicyKey(m.Content[i].Value) || m.Content[i].Value == "policy.default" {
			return true
		}
	}
	return false
}

// holders returns the mappings of a document to search for policies. It skips what is below
// mappings already seen: aliases can make a list a part of itself.
func holders(doc *yaml.Node, configMap string, seen map[*yaml.Node]bool) []*yaml.Node {
	if doc.Kind != yaml.MappingNode || seen[doc] {
		return nil
	}
	seen[doc] = true
	if kind := get(doc, "kind"); kind != nil && get(doc, "apiVersion") != nil {
		switch {
		case kind.Value == "List":
			var all []*yaml.Node
			if items := get(doc, "items"); items != nil {
				for _, item := range items.Content {
					all = append(all, holders(deref(item), configMap, seen)...)
				}
			}
			return all
		case kind.Value != "ConfigMap":
			return nil
		}
		data, name := get(doc, "data"), ""
		if meta := get(doc, "metadata"); meta != nil {
			if n := get(meta, "name"); n != nil {
				name = n.Value
			}
		}
		if data == nil || data.Kind != yaml.MappingNode || configMap != "" && configMap != name {
			return nil
		}
		return []*yaml.Node{data}
	}
	if configMap != "" {
		return nil
	}
	all := []*yaml.Node{doc}
	for _, chart := range append([]*yaml.Node{doc}, values(doc)...) {
		if configs := get(chart, "configs"); configs != nil {
			if rbac := get(configs, "rbac"); rbac != nil && rbac.Kind == yaml.MappingNode {
				all = append(all, rbac)
			}
		}
	}
	return all
}

// values returns the values of a mapping that are mappings themselves.
func values(m *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		if v := deref(m.Content[i+1]); v.Kind == yaml.MappingNode {
			all = append(all, v)
		}
	}
	return all
}

// get returns the value of a key in a mapping, nil if there is none.
func get(m *yaml.Node, key string) *yaml.Node {
	if m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return deref(m.Content[i+1])
		}
	}
	return nil
}

// lookup returns the text at a path of keys, which may contain dots themselves.
func lookup(m *yaml.Node, path string) *yaml.Node {
	if m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i].Value, deref(m.Content[i+1])
		if key == path && value.Kind == yaml.ScalarNode {
			return value
		}
		if rest, ok := strings.CutPrefix(path, key+"."); ok {
			if found := lookup(value, rest); found != nil {
				return found
			}
		}
	}
	return nil
}

func deref(n *yaml.Node) *yaml.Node {
	for range 100 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			return n
		}
		n = n.Alias
	}
	return &yaml.Node{}
}

// copyValue copies the lines of a text to their position in the file.
func (r *reading) copyValue(key string, n *yaml.Node) error {
	wrong := func(format string, args ...any) error {
		return &Error{r.name, max(n.Line, 1), max(n.Column, 1), key + ": " + fmt.Sprintf(format, args...)}
	}
	switch {
	case slices.Contains(r.found, n):
		return nil
	case n.Kind != yaml.ScalarNode:
		return wrong("a policy is a text, and not a list or mapping")
	}
	r.found = append(r.found, n)
	text := strings.TrimRight(n.Value, "\n")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	first := n.Line // counted from 0: the line after the block indicator
	if n.Style&yaml.LiteralStyle == 0 {
		if strings.Contains(text, "\n") || n.Style&yaml.FoldedStyle != 0 {
			return wrong("the text is not written line by line: write %s: | and the lines below it, so that findings have a place", key)
		}
		first = n.Line - 1
	}
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if first+i >= len(r.lines) {
			return wrong("line %d of the text is not found in the file", i+1)
		}
		raw := r.lines[first+i]
		at := len(strings.TrimSuffix(raw, "\r")) - len(line)
		if n.Style&yaml.LiteralStyle == 0 {
			begin := min(n.Column-1, len(raw))
			if at = strings.Index(raw[begin:], line); at >= 0 {
				at += begin
			}
		}
		if at < 0 || !strings.HasPrefix(raw[at:], line) {
			return wrong("the text is escaped: write %s: | and the lines below it, so that findings have a place", key)
		}
		if r.out[first+i] != "" {
			return wrong("another policy stands in the same line of the file: write each of the two as %s: | with the lines below it", key)
		}
		r.out[first+i] = strings.Repeat(" ", at) + line
	}
	return nil
}
