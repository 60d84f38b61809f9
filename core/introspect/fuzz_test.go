package introspect

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// FuzzDecode compares with encoding/json: an accepted answer is active in both, has the
// same subject and makes a valid principal.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"active":false}`, `{"active":true,"sub":"alice","aud":["a"],"exp":1893456000,"roles":["x"]}`, `{"active":true,"active":false}`,
		`{"active":true,"sub":"\u0061","exp":1e9,"nbf":0.5}`, `{"ACTIVE":true}`, `null`, `[]`, "{\"active\":true,\"sub\":\"\xff\"}",
	} {
		f.Add(s)
	}
	v, err := New("https://issuer.example/", Secret("me", "secret"), WithoutIssuer(), WithoutAudience(), WithTenant("org"),
		WithClock(func() time.Time { return time.Unix(1893456000, 0) }))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := decode(text)
		if err != nil {
			if !reflect.DeepEqual(a, answer{}) {
				t.Fatalf("an answer came with the error: %+v", a)
			}
			return
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		if m["active"] != a.active {
			t.Fatalf("active %v, want %v", a.active, m["active"])
		}
		found, err := v.evaluate(a)
		if err != nil {
			return
		}
		if (found.principal == nil) != (found.refusal != nil) {
			t.Fatalf("verdict %+v", found)
		}
		if p := found.principal; p != nil && (!a.active || p.ID() == "" || p.ID() != m["sub"]) {
			t.Fatalf("principal %q for %q", p.ID(), text)
		}
	})
}
