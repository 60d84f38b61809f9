package core

import (
	"net/http"
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
	// shared is what answers share of a field that is the same in many.
	shared *shared
}

// shared is a field as headers keep it.
type shared struct {
	spelt, key  string // Name, and the same in canonical form
	values      [1]string
	adds        bool   // whether what others have set stays, and this is added
	yields      bool   // whether what others have set stays, without this
	name, value []byte // nil if either has line breaks
}

// lasting is a field for many answers.
func lasting(name, value string) Field {
	s := &shared{spelt: name, key: http.CanonicalHeaderKey(name), values: [1]string{value}}
	switch s.key {
	case "Vary", exposeHeaders, challengeKey, "Set-Cookie":
		s.adds = true
	}
	if !strings.ContainsAny(s.key+value, "\r\n") {
		s.name, s.value = []byte(s.key), []byte(value)
	}
	return Field{Name: name, Value: value, shared: s}
}

// common is what f shares with others, or nil: also where f was changed after it
// was copied, or where an application has written into the values of a header.
func (f *Field) common() *shared {
	if s := f.shared; s != nil && s.values[0] == f.Value && s.spelt == f.Name {
		return s
	}
	return nil
}

// Bytes are a field that many answers share, with its name as
// [http.CanonicalHeaderKey] has it and without line breaks. They are nil for
// other fields. Adapters of frameworks whose headers are bytes save copies with
// them; they must not be modified.
func (f Field) Bytes() (name, value []byte) {
	s := f.common()
	if s == nil {
		return nil, nil
	}
	return s.name, s.value
}

const (
	exposeHeaders = "Access-Control-Expose-Headers"
	challengeKey  = "Www-Authenticate" // as net/http spells it
)

// AddFields puts fields into a net/http header: Vary and
// Access-Control-Expose-Headers are merged with what others have set, every
// challenge and cookie gets its own line, other names replace.
//
// Values that many answers have are shared between their headers. Set, Add and
// Del leave them alone; what writes into h["Vary"][0] in place would be seen by
// responses that are under way.
func AddFields(h http.Header, fields []Field) {
	fresh := len(h) == 0
	for i := range fields {
		f := &fields[i]
		switch s := f.common(); {
		case f.IsPrivate() && len(h[f.shared.key]) > 0: // KeepFields completes it
		case s == nil:
			key := challengeKey
			if f.Name != "WWW-Authenticate" {
				key = http.CanonicalHeaderKey(f.Name)
			}
			f.add(h, key)
		case s.adds && (!fresh || !first(fields[:i], f.Name)) && len(h[s.key]) > 0:
			f.add(h, s.key)
		default:
			h[s.key] = s.values[:1:1] // without room, so that nobody appends in place
		}
	}
}

// first reports whether no field of before can have the name.
func first(before []Field, name string) bool {
	for i := range before {
		if len(before[i].Name) == len(name) {
			return false
		}
	}
	return true
}

// add puts one field into a header; key is its name in canonical form.
func (f *Field) add(h http.Header, key string) {
	switch key {
	case "Vary", exposeHeaders:
		have := h[key]
		switch {
		case len(have) == 0:
			h[key] = []string{f.Value}
		case len(have) == 1 && have[0] == f.Value: // of a gate before this one
		default:
			h[key] = append(have, MissingMembers(have, f.Value)...)
		}
	case challengeKey, "Set-Cookie":
		h[key] = append(h[key], f.Value)
	default:
		h[key] = []string{f.Value}
	}
}

// MissingMembers lists the members of value, a list of field names as in Vary
// (RFC 9110 §12.5.5), that the given lines of the same field lack, in any
// letter case. It is for adapters, which merge such a [Field].
func MissingMembers(lines []string, value string) []string {
	var missing []string
	for member := range strings.SplitSeq(value, ",") {
		if member = strings.TrimSpace(member); !hasMember(lines, member) {
			missing = append(missing, member)
		}
	}
	return missing
}

func hasMember(lines []string, member string) bool {
	for _, line := range lines {
		for have := range strings.SplitSeq(line, ",") {
			if have = strings.TrimSpace(have); have == "*" || strings.EqualFold(have, member) {
				return true
			}
		}
	}
	return false
}
