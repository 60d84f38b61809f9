// Package openapi writes the refusals of a guard into OpenAPI files.
package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	yaml "go.yaml.in/yaml/v4"
)

// Document is an OpenAPI file as a tree. It preserves all content and its order, including
// what this package does not know.
type Document struct {
	name string
	root *yaml.Node
	json bool
	// wrong is the validation error of the file before any changes, or nil.
	wrong error
}

// New returns an OpenAPI 3.1 document without paths.
func New(title string) *Document {
	return &Document{root: mapping(
		"openapi", text("3.1.0"),
		"info", mapping("title", text(title), "version", text("0.0.0")),
		"paths", mapping(),
	)}
}

// Parse parses a file with the given name and content. The first character tells JSON from
// YAML.
func Parse(ctx context.Context, name string, content []byte) (*Document, error) {
	d := &Document{name: name, json: bytes.HasPrefix(bytes.TrimSpace(content), []byte("{"))}
	var err error
	if d.json {
		d.root, err = parseJSON(content)
	} else {
		var n yaml.Node
		if err = yaml.Load(content, &n); err == nil && n.Kind == yaml.DocumentNode {
			d.root = &n
		}
	}
	if err == nil && d.root != nil {
		err = (&walk{within: map[*yaml.Node]bool{}}).check(d.root)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read OpenAPI: %s: %w", name, err)
	case d.root == nil || d.rootObject().Kind != yaml.MappingNode:
		return nil, fmt.Errorf("read OpenAPI: %s: it is not an object", name)
	case !strings.HasPrefix(d.version(), "3."):
		return nil, fmt.Errorf("read OpenAPI: %s: it must be OpenAPI 3, with a line such as openapi: 3.1.0", name)
	}
	d.wrong = d.Check(ctx)
	return d, nil
}

// Wrong returns the validation error of the file as it was parsed, or nil.
func (d *Document) Wrong() error { return d.wrong }

func (d *Document) rootObject() *yaml.Node {
	if d.root.Kind == yaml.DocumentNode {
		return d.root.Content[0]
	}
	return d.root
}

func (d *Document) version() string {
	if v := get(d.rootObject(), "openapi"); v != nil {
		return v.Value
	}
	return ""
}

// Check validates the document as OpenAPI.
func (d *Document) Check(ctx context.Context) error {
	content, err := d.JSON()
	if err != nil {
		return err
	}
	loader := NewLoader(ctx, d.name)
	at := &url.URL{Path: filepath.ToSlash(d.name)}
	parsed, err := loader.LoadFromDataWithPath(content, at)
	if err != nil {
		return err
	}
	return parsed.Validate(ctx)
}

// NewLoader returns a loader for an OpenAPI file. References are followed within the file's
// folder only, and never over a network: what they lead to may show in an error.
func NewLoader(ctx context.Context, file string) *openapi3.Loader {
	loader := openapi3.NewLoader()
	loader.Context = ctx
	loader.IsExternalRefsAllowed = true
	loader.ReadFromURIFunc = func(l *openapi3.Loader, at *url.URL) ([]byte, error) {
		if at.Scheme != "" && at.Scheme != "file" || at.Host != "" {
			return nil, fmt.Errorf("%s is on a network: copy it beside the file", at)
		}
		if name, err := filepath.Rel(filepath.Dir(file), filepath.FromSlash(at.Path)); err != nil || !filepath.IsLocal(name) {
			return nil, fmt.Errorf("%s is outside the folder of the file: copy it into the folder", at.Path)
		}
		return openapi3.ReadFromFile(l, at)
	}
	return loader
}

// Bytes returns the document in the format it was read in, YAML or JSON. It returns an
// error if the YAML would not be read back as the same document, for example because of
// comments in unusual places.
func (d *Document) Bytes() ([]byte, error) {
	if d.json {
		return d.JSON()
	}
	want, unsure := d.JSON() // Dump may change the tree, so do this first
	content, err := yaml.Dump(d.root, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI: %w", err)
	}
	var n yaml.Node
	if err := yaml.Load(content, &n); err != nil {
		return nil, fmt.Errorf("write OpenAPI: the YAML could not be read again (take out comments beside empty values): %w", err)
	}
	if unsure != nil {
		return content, nil // it was already invalid as read: see Wrong
	}
	if got, err := (&Document{root: &n}).JSON(); err != nil || !bytes.Equal(got, want) {
		return nil, errors.New("write OpenAPI: the YAML would say something else when it is read again: use JSON")
	}
	return content, nil
}

// AsJSON makes Bytes return JSON.
func (d *Document) AsJSON() { d.json = true }

// JSON returns the document as JSON, indented by two spaces.
func (d *Document) JSON() ([]byte, error) {
	var b, indented bytes.Buffer
	if err := writeJSON(&b, d.rootObject(), 0); err != nil {
		return nil, fmt.Errorf("write OpenAPI: %w", err)
	}
	if err := json.Indent(&indented, b.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("write OpenAPI: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// maxDepth is the maximum nesting depth of a document.
const maxDepth = 1000

func writeJSON(b *bytes.Buffer, n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return errors.New("the document is nested too deeply")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return writeJSON(b, n.Alias, depth+1)
	case yaml.MappingNode, yaml.SequenceNode:
		return writeItems(b, n, depth)
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	if n.ShortTag() == "!!int" || n.ShortTag() == "!!float" {
		if json.Valid([]byte(n.Value)) { // keep numbers as written, however many digits they have
			b.WriteString(n.Value)
			return nil
		}
	}
	if n.ShortTag() == "!!timestamp" {
		v = n.Value
	}
	return encode(b, v)
}

func writeItems(b *bytes.Buffer, n *yaml.Node, depth int) error {
	items, step, brackets := n.Content, 1, "[]"
	if n.Kind == yaml.MappingNode {
		items, step, brackets = merged(n), 2, "{}"
	}
	b.WriteByte(brackets[0])
	for i := 0; i < len(items); i += step {
		if i > 0 {
			b.WriteByte(',')
		}
		if step == 2 {
			if err := encode(b, items[i].Value); err != nil {
				return err
			}
			b.WriteByte(':')
		}
		if err := writeJSON(b, items[i+step-1], depth+1); err != nil {
			return err
		}
	}
	b.WriteByte(brackets[1])
	return nil
}

// encode appends v as JSON without escaping <, > and &.
func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // remove the line feed
	return nil
}
