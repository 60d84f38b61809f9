// Package field holds header fields that are the same in many answers.
package field

import (
	"net/http"
	"strings"
)

// Shared is a field as responses keep it, made once: a request that passes a
// gate then costs no memory for its header lines.
type Shared struct {
	// Name is the field's name as it was given, Key the same in canonical form.
	Name, Key string
	// Values is what a header of net/http holds. Applications can write into it.
	Values [1]string
	// NameBytes and ValueBytes are for frameworks whose headers are bytes; nil
	// if either has line breaks.
	NameBytes, ValueBytes []byte
}

// Share makes a field for many answers.
func Share(name, value string) *Shared {
	s := &Shared{Name: name, Key: http.CanonicalHeaderKey(name), Values: [1]string{value}}
	if !strings.ContainsAny(s.Key+value, "\r\n") {
		s.NameBytes, s.ValueBytes = []byte(s.Key), []byte(value)
	}
	return s
}

// Intact reports whether s still has the value that it was made with.
func (s *Shared) Intact(value string) bool { return s.Values[0] == value }
