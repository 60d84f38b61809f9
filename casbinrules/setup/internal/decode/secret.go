package decode

import (
	"os"
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// Secret is a text that is not written into the file itself: it comes from the
// environment, as ${NAME}, or from a file, as {file: PATH}, without its last line
// feed. It prints as "(hidden)".
type Secret struct {
	value    string
	variable string // "${NAME}", or ""
	file     string // its path as written, or ""
}

// Reveal returns the secret.
func (s Secret) Reveal() string { return s.value }

// String returns "(hidden)".
func (s Secret) String() string { return "(hidden)" }

// GoString returns "(hidden)".
func (s Secret) GoString() string { return "(hidden)" }

// maxSecret is the maximum size of a secret in a file, in bytes.
const maxSecret = 64 << 10

const secretHint = "write ${NAME} for a variable of the environment, or {file: PATH}"

// secret decodes n into s.
func (d *Document) secret(n *yaml.Node, s *Secret, p place) {
	if !d.plain(n, p) {
		return
	}
	if n.Kind == yaml.MappingNode {
		var from struct {
			File File `key:"file" required:"true" once:"true" doc:"path of the file with the secret"`
		}
		before := len(d.errors)
		d.mapping(n, reflect.ValueOf(&from).Elem(), p)
		if len(d.errors) == before {
			d.secretFile(string(from.File), d.written[&from.File], s, p)
		}
		return
	}
	if n.Kind != yaml.ScalarNode || !wholeVariable(n.Value) {
		d.fail(p, secretHint, "a secret must not be written into this file")
		return
	}
	text, _, ok := d.expand(n, p)
	if !ok {
		return
	}
	if text == "" {
		d.fail(p, "", "the variable %s is empty", n.Value)
		return
	}
	*s = Secret{value: text, variable: n.Value}
}

func (d *Document) secretFile(path, written string, s *Secret, p place) {
	text, err := os.ReadFile(path)
	if err != nil {
		d.fail(p, "", "%v", err)
		return
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case value == "":
		d.fail(p, "", "the file %s is empty", path)
	case len(value) > maxSecret:
		d.fail(p, "", "the file %s is larger than %d bytes", path, maxSecret)
	default:
		*s = Secret{value: value, file: written}
	}
}

// wholeVariable reports whether a text is exactly one variable.
func wholeVariable(s string) bool {
	name, ok := strings.CutPrefix(s, "${")
	return ok && strings.IndexByte(name, '}') == len(name)-1
}

// expand returns the text of n with ${NAME} replaced by the values of variables. $${
// stands for ${ itself.
func (d *Document) expand(n *yaml.Node, p place) (text string, expanded, ok bool) {
	rest := n.Value
	if name, shell := strings.CutPrefix(rest, "$"); shell && isVariable(name) {
		d.fail(p, "write ${"+name+"}", "%s is not replaced by a variable of the environment", rest)
		return "", false, false
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			b.WriteString(rest)
			return b.String(), expanded, true
		}
		if escaped, is := strings.CutSuffix(before, "$"); is {
			b.WriteString(escaped + "${")
			rest = after
			continue
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || !isVariable(name) {
			d.fail(p, "write ${NAME}, or $${ for the two characters themselves", "a variable that is not one")
			return "", false, false
		}
		value, set := d.source.Env(name)
		if !set {
			d.fail(p, "export "+name+"=… first", "the environment has no variable %s", name)
			return "", false, false
		}
		b.WriteString(before + value)
		rest, expanded = tail, true
	}
}

// isVariable reports whether name is valid for an environment variable.
func isVariable(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
