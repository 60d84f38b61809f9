package core

import "github.com/sallyport-go/sallyport/core/internal/field"

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
	shared      *field.Shared // nil for a field of one answer alone
}

// sharedField is a field for many answers.
func sharedField(name, value string) Field {
	return Field{Name: name, Value: value, shared: field.Share(name, value)}
}

// Shared is what answers share of f; nil for none, also where f has another name
// than the field that it is a copy of. It is for package adapter.
func (f *Field) Shared() *field.Shared {
	if f.shared == nil || f.shared.Name != f.Name {
		return nil
	}
	return f.shared
}
