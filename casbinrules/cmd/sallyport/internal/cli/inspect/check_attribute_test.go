package inspect

import (
	"testing"
)

// If a model needs more than subject, object and action, the request lines contain the
// values of the further fields.
func TestCheckTakesFurtherFields(t *testing.T) {
	fields := []string{"region", "sub", "obj", "act", "tenant"}
	q := question(fields, []string{"eu", "erin", "/a", "GET", "acme"})
	if q.Subject != "erin" || q.Object != "/a" || q.Action != "GET" || q.Tenant != "acme" || len(q.Attributes) != 1 || q.Attributes["region"] != "eu" {
		t.Errorf("%+v", q)
	}
}
