package respond_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/respond"
)

// What users can name is made of what users can import.
func TestNoInternalTypes(t *testing.T) {
	typ := reflect.TypeFor[*respond.Negotiated]()
	for i := range typ.NumMethod() {
		if m := typ.Method(i); strings.Contains(m.Type.String(), "problem.") {
			t.Errorf("%s: %v", m.Name, m.Type)
		}
	}
}
