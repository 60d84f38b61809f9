package engines

import (
	"testing"

	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// TestAllEnginesAnswerRight: what answers wrong must not be measured.
func TestAllEnginesAnswerRight(t *testing.T) {
	shapes := append(policies.Shapes(),
		policies.Shape{Name: "mix", Make: policies.Mix},
		policies.Shape{Name: "exact", Make: policies.Exact})
	for _, shape := range shapes {
		for _, n := range []int{10, 60} {
			s := NewSource(shape.Make(n))
			for _, kind := range All() {
				e, err := kind.Open(s)
				if err != nil {
					t.Errorf("%s, %d rules, %s: %v", shape.Name, n, kind.Name, err)
					continue
				}
				check(t, e, s, shape.Name+", "+kind.Name)
			}
		}
	}
}

func check(t *testing.T, e Engine, s *Source, where string) {
	t.Helper()
	cases := s.Cases()
	if len(cases) == 0 {
		t.Errorf("%s: nothing is asked", where)
	}
	for _, c := range cases {
		for _, q := range c.Questions[:min(len(c.Questions), 20)] {
			if got, err := e.Prepare(q)(); err != nil || got != q.Allowed {
				t.Errorf("%s: %s: %+v: %v, %v", where, c.Name, q, got, err)
			}
		}
	}
}

// TestReloadPutsTheTextIntoForce: after it every question has its old answer,
// and for our engine another version is in force.
func TestReloadPutsTheTextIntoForce(t *testing.T) {
	s := NewSource(policies.Mix(100))
	for _, kind := range Reloading() {
		e, err := kind.Open(s)
		if err != nil {
			t.Fatal(err)
		}
		before := versionOf(e)
		if err := e.(Reloader).Reload(); err != nil {
			t.Errorf("%s: %v", kind.Name, err)
		}
		if versionOf(e) == before {
			t.Errorf("%s: nothing was loaded", kind.Name)
		}
		check(t, e, s, kind.Name)
	}
}

// versionOf tells one load from another.
func versionOf(e Engine) any {
	switch e := e.(type) {
	case *sallyport:
		return e.authorizer.Version().Hash
	case *cedarEngine:
		return e.loaded.Load()
	default:
		return new(int) // Casbin does not say
	}
}
