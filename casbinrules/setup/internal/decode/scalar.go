package decode

import (
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"
)

// File is the path of a file that must exist. A relative path starts at the folder
// of the file it was read from.
type File string

// Location is the https or http URL of a document, or the path of a [File].
type Location string

// Remote reports whether l is a URL.
func (l Location) Remote() bool { return isURL(string(l)) }

// Size is a number of bytes, written as such or with KiB, MiB or GiB.
type Size int64

var (
	durationType = reflect.TypeFor[time.Duration]()
	fileType     = reflect.TypeFor[File]()
	locationType = reflect.TypeFor[Location]()
	sizeType     = reflect.TypeFor[Size]()
	secretType   = reflect.TypeFor[Secret]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isScalar reports whether a field of type t is read from a YAML scalar.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
		return true
	}
	return reflect.PointerTo(t).Implements(textType)
}

// alone reports whether a single value of type t may be written instead of a list.
func alone(t reflect.Type) bool { return isScalar(t) || t == secretType }

// scalar decodes a YAML scalar into v.
func (d *Document) scalar(n *yaml.Node, v reflect.Value, f field, p place) {
	if !d.plain(n, p) {
		return
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		d.fail(p, f.doc, "%s where %s is expected", kindOf(n), scalarTypeOf(v.Type()).name)
		return
	}
	text, expanded, ok := d.expand(n, p)
	if !ok {
		return
	}
	if of := scalarTypeOf(v.Type()); !expanded && !slices.Contains(strings.Fields(of.tags), n.ShortTag()) {
		hint := ""
		if v.Kind() == reflect.String {
			hint = "put it in quotes"
		}
		d.fail(p, hint, "%s is not %s", n.Value, of.name)
		return
	}
	if hint, err := d.set(v, text, f); err != nil {
		d.fail(p, hint, "%s: %v", strconv.Quote(n.Value), err)
		return
	}
	d.written[v.Addr().Interface()] = n.Value
}

// scalarType describes a type of scalars.
type scalarType struct {
	kind reflect.Kind // or of
	of   reflect.Type
	tags string // of YAML, those that are accepted
	// name is the type in messages, and value in a list of keys.
	name, value string
}

var scalarTypes = []scalarType{
	{reflect.Bool, nil, "!!bool", "true or false", "true, false"},
	{0, durationType, "!!str !!int", "a duration such as 30s", "duration"},
	{0, sizeType, "!!str !!int", "a size such as 8KiB", "size"},
	{reflect.Int, nil, "!!int", "a whole number", "number"},
	{0, fileType, "!!str", "the path of a file", "file"},
	{0, locationType, "!!str", "a URL or the path of a file", "URL or file"},
	{0, prefixType, "!!str", "a network such as 10.0.0.0/8", "network"},
}

func scalarTypeOf(t reflect.Type) scalarType {
	for _, s := range scalarTypes {
		if t == s.of || t.Kind() == s.kind {
			return s
		}
	}
	return scalarType{tags: "!!str", name: "text", value: "text"}
}

// set parses text into v. The error says what is wrong with the text.
func (d *Document) set(v reflect.Value, text string, f field) (hint string, err error) {
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		if v.Type() == prefixType && u.UnmarshalText([]byte(text)) != nil {
			return "", fmt.Errorf("not a network such as 10.0.0.0/8 or 127.0.0.1/32")
		}
		return "", u.UnmarshalText([]byte(text))
	}
	switch t := v.Type(); {
	case t.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			return "", fmt.Errorf("neither true nor false")
		}
		v.SetBool(text == "true")
	case t == durationType:
		got, err := time.ParseDuration(text)
		if err != nil {
			return "with a unit, as in 300ms, 30s, 15m, 12h", fmt.Errorf("not a duration")
		}
		v.SetInt(int64(got))
	case t == sizeType:
		got, err := parseSize(text)
		if err != nil {
			return "", err
		}
		v.SetInt(got)
	case t.Kind() == reflect.Int:
		got, err := strconv.Atoi(text)
		if err != nil {
			return "", fmt.Errorf("not a whole number")
		}
		v.SetInt(int64(got))
	default:
		return d.setText(v, text, f)
	}
	return "", nil
}

// setText stores a text or a path in v.
func (d *Document) setText(v reflect.Value, text string, f field) (hint string, err error) {
	switch t := v.Type(); {
	case text == "":
		return "leave the key out for none", fmt.Errorf("it must not be empty")
	case len(f.enum) > 0 && !slices.Contains(f.enum, text):
		if near := nearest(text, f.enum); near != "" {
			return "did you mean " + near + "?", fmt.Errorf("not one of %s", strings.Join(f.enum, ", "))
		}
		return "", fmt.Errorf("not one of %s", strings.Join(f.enum, ", "))
	case t == fileType && isURL(text):
		return f.missing, fmt.Errorf("a URL where the path of a file is expected")
	case t == fileType, t == locationType && !isURL(text):
		path := text
		if !filepath.IsAbs(path) {
			path = filepath.Join(d.source.Dir, path)
		}
		v.SetString(path)
		if d.source.Absent {
			return "", nil
		}
		info, err := os.Stat(path)
		switch {
		case os.IsNotExist(err):
			return f.missing, fmt.Errorf("there is no file %s", path)
		case err != nil:
			return "", fmt.Errorf("file %s: %w", path, cause(err))
		case !info.Mode().IsRegular() && !info.IsDir():
			return "", fmt.Errorf("%s is not a regular file", path) // reading a pipe may never end
		}
		if f.once {
			d.readOnce(path)
		}
	default:
		v.SetString(text)
	}
	return "", nil
}

// cause returns an error of the file system without the path.
func cause(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

func isURL(s string) bool { return strings.Contains(s, "://") }

// parseSize parses a number of bytes.
func parseSize(text string) (int64, error) {
	number, unit := text, int64(1)
	for suffix, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if before, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = strings.TrimSpace(before), size
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<40/unit {
		return 0, fmt.Errorf("not a number of bytes such as 16384, 16KiB or 1MiB")
	}
	return n * unit, nil
}

// fallback sets the default of a field that is not in the file.
func (d *Document) fallback(v reflect.Value, f field) {
	if f.fallback == "" {
		return
	}
	if _, err := d.set(v, f.fallback, f); err != nil {
		panic(fmt.Sprintf("decode: default of %s: %v", f.key, err))
	}
}
