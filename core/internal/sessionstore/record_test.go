package sessionstore

import (
	"reflect"
	"testing"
)

// TestEncodeKeepsTextsApart: what cannot be restored exactly is not stored, or
// "jos\xe9" and "jos\xe8" of a database in Latin-1 would be one user.
func TestEncodeKeepsTextsApart(t *testing.T) {
	for text, want := range map[string]bool{
		"jos\xe9": false, `\` + "\xe9": false, `\\` + "\xe9\xe9": false,
		"josé": true, "\ufffd": true, `\ufffd`: true, `\\ufffd`: true, "\\\"\x00<\u2028\ufffd": true,
	} {
		for _, id := range []Identity{{ID: text}, {ID: "a", Roles: []string{text}}, {ID: "a", Claims: map[string]any{text: []any{text}}}} {
			data, err := Encode(id)
			if got := err == nil; got != want {
				t.Errorf("%+q: %v, want it stored: %v", id, err, want)
			}
			var restored Identity
			if err == nil && (Decode(data, &restored) != nil || !reflect.DeepEqual(restored, id)) {
				t.Errorf("%+q is restored as %+q", id, restored)
			}
		}
	}
}
