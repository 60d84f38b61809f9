package core

import (
	"net/http"
	"slices"
	"strings"
)

// Response is an answer as data; the adapter writes it natively. Fields and
// Body may be shared between answers and must not be modified.
type Response struct {
	Status int
	// Fields are the header fields in order. Vary and
	// Access-Control-Expose-Headers are merged with what others have set,
	// WWW-Authenticate and Set-Cookie have one line each; any other
	// name replaces.
	Fields []Field
	Body   []byte
}

// Field is one header field line.
type Field struct {
	Name, Value string
	// values holds Value where the field is the same in many answers, so that
	// each shares it.
	values *[1]string
}

// lasting is a field for many answers. Its name is in canonical form, or is
// WWW-Authenticate.
func lasting(name, value string) Field {
	return Field{Name: name, Value: value, values: &[1]string{value}}
}

const exposeHeaders = "Access-Control-Expose-Headers"

// AddFields puts fields into a net/http header: Vary and
// Access-Control-Expose-Headers are merged with what others have set, every
// challenge and cookie gets its own line, other names replace.
func AddFields(h http.Header, fields []Field) {
	for i := range fields {
		f := &fields[i]
		name := f.Name
		if f.values == nil && name != "WWW-Authenticate" { // of an application, in any letter case
			name = http.CanonicalHeaderKey(name)
		}
		switch name {
		case "Vary", exposeHeaders:
			if have := h[name]; len(have) == 1 && have[0] == f.Value {
				continue // a gate before this one
			} else if len(have) > 0 {
				for _, member := range MissingMembers(have, f.Value) {
					h.Add(name, member)
				}
				continue
			}
		case "WWW-Authenticate", "Www-Authenticate":
			name = "Www-Authenticate" // as net/http spells it
			if len(h[name]) > 0 {
				h.Add(name, f.Value)
				continue
			}
		case "Set-Cookie":
			h.Add(name, f.Value)
			continue
		}
		if f.values != nil {
			h[name] = f.values[:1:1] // without room, so that nobody appends in place
		} else {
			h.Set(name, f.Value)
		}
	}
}

// MissingMembers lists the members of value, a list of field names as in Vary
// (RFC 9110 §12.5.5), that the given lines of the same field lack, in any
// letter case. It is for adapters, which merge such a [Field].
func MissingMembers(lines []string, value string) []string {
	var have, missing []string
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			have = append(have, strings.ToLower(strings.TrimSpace(member)))
		}
	}
	for member := range strings.SplitSeq(value, ",") {
		member = strings.TrimSpace(member)
		if !slices.Contains(have, "*") && !slices.Contains(have, strings.ToLower(member)) {
			missing = append(missing, member)
		}
	}
	return missing
}
