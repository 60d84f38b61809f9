// Package decode reads a YAML file into structs, strictly: a key that no field
// has, a value of another type, a key twice and a file that is not there are
// errors with line and column.
//
// A field is read from the key in its tag `key`. Other tags are `doc`, a
// sentence for people and editors; `default`, the value of a field that is not
// in the file, written as it would be there; `required:"true"`; `enum`, the
// values a text may have, separated by commas; `missing`, what to do about a
// [File] that is not there; and `slot`, for a [Kind].
//
// Fields are text, bool, int, [time.Duration], [File], [Location], [Secret],
// [Size], [Kind], types with UnmarshalText, lists and maps of those, structs, and
// pointers to structs, which are nil if the file does not have the key.
package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// maxSize is how many bytes a file may have.
const maxSize = 1 << 20

// Source is a file to be read and what it may refer to.
type Source struct {
	// Name stands in errors.
	Name string
	// Dir is what paths in the file are relative to.
	Dir string
	// Env looks a variable up, as os.LookupEnv does.
	Env func(name string) (value string, ok bool)
	// Kinds is the type of the settings of a kind, a struct, and a hint where
	// there is none.
	Kinds func(slot, name string) (settings reflect.Type, hint string)
	// Absent says that a [File] need not be there, as for the text of a revision.
	Absent bool
}

// Document is a file that was read: it knows where each value stood.
type Document struct {
	source  Source
	places  map[any]place // by the pointer to the field
	errors  Errors
	top     reflect.Type // for hints about keys that stand elsewhere
	written map[any]string
}

// place is where a value stood, and its key with those around it.
type place struct {
	line, column int
	key          string
}

// Read reads text into the struct that into points to. The error is [Errors],
// with all there is to say, in the order of the file.
//
// Where it can the struct is filled in with an error, too.
func Read(text []byte, source Source, into any) (*Document, error) {
	return read(text, source, into, func(*yaml.Node) {})
}

// read is [Read] of what cut leaves of the file.
func read(text []byte, source Source, into any, cut func(root *yaml.Node)) (*Document, error) {
	v := reflect.ValueOf(into).Elem()
	d := &Document{source: source, places: map[any]place{}, top: v.Type(), written: map[any]string{}}
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

// errNoDocument and errDocuments are of files that are not one document.
var (
	errNoDocument = errors.New("the file is empty")
	errDocuments  = errors.New("the file holds several documents: take the lines --- out")
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

// Section is [Read] for one key of the file and into a struct with that key: what
// else the file holds is not looked at, beyond its syntax. found is false if the
// file has no such key.
func Section(text []byte, source Source, key string, into any) (found bool, err error) {
	_, err = read(text, source, into, func(root *yaml.Node) {
		var kept []*yaml.Node
		for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value == key {
				kept = append(kept, root.Content[i], root.Content[i+1])
			}
		}
		found = len(kept) > 0
		*root = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: root.Line, Column: root.Column, Content: kept}
	})
	return found, err
}

// syntaxError is what the YAML library says, in one line.
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
	if strings.Contains(e.Message, "cannot start any token") {
		e.Hint = "indent with spaces, and put text that begins with a special character in quotes"
	}
	return e
}

// Has reports whether the file had the field that the pointer is for.
func (d *Document) Has(field any) bool {
	_, ok := d.places[field]
	return ok
}

// Before reports whether field a stood in front of field b. Fields that the file
// did not have come last.
func (d *Document) Before(a, b any) bool {
	p, had := d.places[a]
	q, other := d.places[b]
	if !had || !other {
		return had
	}
	return p.line < q.line || p.line == q.line && p.column < q.column
}

// Wrap is err at the first of fields that the file had; an error that has its
// place already stays as it is.
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

// fail reports what is wrong at p.
func (d *Document) fail(p place, hint, format string, args ...any) {
	d.errors = append(d.errors, &Error{
		File: d.source.Name, Line: p.line, Column: p.column, Key: p.key,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// inside is the place of a value below p.
func inside(p place, key string, n *yaml.Node) place {
	if p.key != "" {
		key = p.key + "." + key
	}
	return place{n.Line, n.Column, key}
}

// Dir is what paths in the file are relative to.
func (d *Document) Dir() string { return d.source.Dir }
