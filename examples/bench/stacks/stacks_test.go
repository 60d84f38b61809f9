package stacks

import "testing"

// TestAllStacksAnswerAlike: what lets the wrong request through, or refuses
// for another reason, must not be measured.
func TestAllStacksAnswerAlike(t *testing.T) {
	w := NewWorld()
	allowed, err := w.Allowed(2)
	if err != nil {
		t.Fatal(err)
	}
	refused, err := w.Refused()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range All() {
		c, err := s.Open(w)
		if err != nil {
			t.Errorf("%s, %s: %v", s.Framework, s.Guard, err)
			continue
		}
		forged, forbidden := 401, 403
		if s.Guard == Bare {
			forged, forbidden = 200, 200
		}
		for _, step := range []struct {
			name, authorization string
			want                int
		}{
			{"no credentials", "", s.Missing},
			{"first sight", allowed[0], 200},
			{"the same token", allowed[0], 200},
			{"another token", allowed[1], 200},
			{"a user who lacks the permission", refused, forbidden},
			{"a forged token", allowed[0] + "A", forged},
			{"no credentials after all that", "", s.Missing},
		} {
			if got := c.Call(step.authorization); got != step.want {
				t.Errorf("%s, %s: %s: %d, want %d", s.Framework, s.Guard, step.name, got, step.want)
			}
		}
	}
}
