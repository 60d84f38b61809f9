// Package decode reads a YAML file into structs, strictly: an unknown key, a value
// of the wrong type, a repeated key and a missing file are errors with line and
// column.
//
// A field is read from the key in its tag `key`. Other tags are `doc`, a sentence
// for people and editors; `default`, the value of a field that is not in the file,
// written as it would be there; `required:"true"`; `enum`, the values a text may
// have, separated by commas; `missing`, what to do about a [File] that does not
// exist; `once:"true"`, for a [File] that is read only when the configuration is opened;
// and `slot`, for a [Kind].
//
// Fields are text, bool, int, [time.Duration], [File], [Location], [Secret], [Size],
// [Kind], types with UnmarshalText, lists and maps of those, structs, and pointers
// to structs, which are nil if the file does not have the key.
package decode

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/sallyport-go/sallyport/core/watch"
)

// maxSize is the maximum size of a file in bytes.
const maxSize = 1 << 20

// Source is a file to be read, with what it may refer to.
type Source struct {
	// Name is the file name in errors.
	Name string
	// Dir is the folder to which paths in the file are relative.
	Dir string
	// Env looks up an environment variable, like os.LookupEnv.
	Env func(name string) (value string, ok bool)
	// Kinds returns the type of the settings of a kind, a struct, or a hint if there
	// is none.
	Kinds func(slot, name string) (settings reflect.Type, hint string)
	// Absent allows a [File] to be missing, as in the text of a revision, and leaves the
	// settings of a [Kind] unread.
	Absent bool
}

// Document is a file that was read. It knows the place of each value.
type Document struct {
	source  Source
	places  map[any]place // by the pointer to the field
	errors  Errors
	top     reflect.Type // for hints about misplaced keys
	written map[any]string
	fixed   map[string]string // the hashes of files that are read once
}

// place is the position of a value, and its key with the parents.
type place struct {
	line, column int
	key          string
}

// Read decodes text into the struct that into points to. The error is an [Errors]
// with all mistakes, in the order of the file.
//
// With an error the struct is filled in as far as possible.
func Read(text []byte, source Source, into any) (*Document, error) {
	return read(text, source, into, func(*yaml.Node) {})
}

// read is [Read] of the part of the file that cut leaves.
func read(text []byte, source Source, into any, cut func(root *yaml.Node)) (*Document, error) {
	v := reflect.ValueOf(into).Elem()
	d := &Document{source: source, places: map[any]place{}, top: v.Type(), written: map[any]string{}, fixed: map[string]string{}}
	if len(text) > maxSize {
		return d, Errors{{File: source.Name, Message: fmt.Sprintf("larger than %d bytes", maxSize)}}
	}
	root, err := parse(text)
	if err != nil {
		return d, Errors{d.syntaxError(err)}
	}
	cut(root)
	d.mapping(root, v, place{line: 1, column: 1})
	if len(d.errors) > 0 {
		return d, d.errors.sorted()
	}
	return d, nil
}

// errNoDocument and errDocuments are returned for files that are not one document.
var (
	errNoDocument = errors.New("the file is empty")
	errDocuments  = errors.New("the file contains several documents: remove the lines ---")
)

// parse returns the one value of a document.
func parse(text []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var all []*yaml.Node
	for len(all) < 2 {
		var n yaml.Node
		if err := loader.Load(&n); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
			n = *n.Content[0]
		}
		all = append(all, &n)
	}
	switch {
	case len(all) == 0 || len(all) == 1 && all[0].ShortTag() == "!!null":
		return nil, errNoDocument
	case len(all) > 1:
		return nil, errDocuments
	}
	return all[0], nil
}

// Sections is [Read] for some keys of the file, those of the struct that into points
// to. Of the rest of the file only the syntax is checked.
func Sections(text []byte, source Source, into any) error {
	all := fields(reflect.TypeOf(into).Elem())
	_, err := read(text, source, into, func(root *yaml.Node) {
		var kept []*yaml.Node
		for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
			if _, ok := lookup(all, root.Content[i].Value); ok {
				kept = append(kept, root.Content[i], root.Content[i+1])
			}
		}
		*root = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: root.Line, Column: root.Column, Content: kept}
	})
	return err
}

// syntaxError returns the error of the YAML library in one line.
func (d *Document) syntaxError(err error) *Error {
	e := &Error{File: d.source.Name, Line: 1, Column: 1, Message: err.Error()}
	if at, ok := errors.AsType[*yaml.LoadError](err); ok {
		e.Message = at.Message
		if at.Mark.Line > 0 {
			e.Line, e.Column = at.Mark.Line, at.Mark.Column
		}
		if at.ContextMsg != "" {
			e.Message += " " + at.ContextMsg
			if at.ContextMark.Line > 0 && at.ContextMark.Line != e.Line {
				e.Message += fmt.Sprintf(" that begins in line %d", at.ContextMark.Line)
			}
		}
	}
	for _, of := range syntaxHints {
		if strings.Contains(e.Message, of.message) {
			e.Hint = of.hint
			break
		}
	}
	return e
}

// syntaxHints say what to do about the messages of the YAML library.
var syntaxHints = []struct{ message, hint string }{
	{"cannot start any token", "indent with spaces, and put text that begins with a special character in quotes"},
	{"tab character", "indent with spaces"},
	{"did not find expected key", keysHint},
	{"mapping values are not allowed", keysHint},
	{"could not find expected ':'", keysHint},
}

const keysHint = "look at this line and the one above: all keys of a section begin in the same column, with a blank behind the colon"

// Has reports whether the file contains the field that the pointer is for.
func (d *Document) Has(field any) bool {
	_, ok := d.places[field]
	return ok
}

// First returns the pointer to the first field of the section that the file contains,
// except those given; nil if there is none. section is a pointer to a struct.
func (d *Document) First(section any, except ...any) (first any) {
	v := reflect.ValueOf(section).Elem()
	for i := range v.NumField() {
		field := v.Field(i)
		at := field.Addr()
		found := any(nil)
		if v.Type().Field(i).Anonymous {
			found = d.First(reflect.NewAt(field.Type(), at.UnsafePointer()).Interface(), except...)
		} else if p := at.Interface(); d.Has(p) && !slices.Contains(except, p) {
			found = p
		}
		if found != nil && (first == nil || d.Compare(found, first) < 0) {
			first = found
		}
	}
	return first
}

// Compare compares the places of two fields of the file.
func (d *Document) Compare(a, b any) int {
	p, q := d.places[a], d.places[b]
	return cmp.Or(cmp.Compare(p.line, q.line), cmp.Compare(p.column, q.column))
}

// Wrap returns err at the first of fields that the file contains. An error that
// already has a place is returned unchanged.
func (d *Document) Wrap(err error, fields ...any) error {
	var placed *Error
	if err == nil || errors.As(err, &placed) {
		return err
	}
	e := &Error{File: d.source.Name, Message: err.Error(), Err: err}
	for _, f := range fields {
		if p, ok := d.places[f]; ok {
			e.Line, e.Column, e.Key = p.line, p.column, p.key
			break
		}
	}
	return e
}

// fail reports a mistake at p.
func (d *Document) fail(p place, hint, format string, args ...any) {
	d.errors = append(d.errors, &Error{
		File: d.source.Name, Line: p.line, Column: p.column, Key: p.key,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// inside returns the place of a value below p.
func inside(p place, key string, n *yaml.Node) place {
	if p.key != "" {
		key = p.key + "." + key
	}
	return place{n.Line, n.Column, key}
}

// readOnce notes what a file contains that is read only once.
func (d *Document) readOnce(path string) { d.fixed[path] = hashOf(path) }

// Changed returns the files that are read only once, secrets among them, and contain
// something else than when the document was read.
func (d *Document) Changed() []string {
	changed := slices.Sorted(maps.Keys(d.fixed))
	return slices.DeleteFunc(changed, func(path string) bool { return d.fixed[path] == hashOf(path) })
}

// hashOf returns the hash of a file, "" if it cannot be read.
func hashOf(path string) string {
	now, _ := watch.Read([]string{path})
	return now.Hash
}

// Dir returns the folder to which paths in the file are relative.
func (d *Document) Dir() string { return d.source.Dir }
