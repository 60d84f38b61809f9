package stacks

import (
	"slices"
	"testing"
)

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
	for _, s := range slices.Concat(All(), FieldsAlone()) {
		c, err := s.Open(w)
		if err != nil {
			t.Errorf("%s, %s: %v", s.Framework, s.Guard, err)
			continue
		}
		forged, forbidden := 401, 403
		if s.Guard == Bare || s.Guard == Fields {
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

// TestFieldsAloneAreOurs: an app that stands for what our fields cost has to send them.
func TestFieldsAloneAreOurs(t *testing.T) {
	w := NewWorld()
	allowed, err := w.Allowed(1)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]answer{}
	for _, s := range slices.Concat(All(), FieldsAlone()) {
		c, err := s.Open(w)
		if err != nil {
			t.Fatalf("%s, %s: %v", s.Framework, s.Guard, err)
		}
		got := ask(c, allowed)
		switch s.Guard {
		case Sallyport:
			answers[s.Framework] = got
		case Fields:
			for name, values := range answers[s.Framework].header {
				if name != "Content-Length" && name != "Date" && !slices.Equal(got.header[name], values) {
					t.Errorf("%s: %s is %q, ours %q", s.Framework, name, got.header[name], values)
				}
			}
			if len(got.header) != len(answers[s.Framework].header) {
				t.Errorf("%s: %v, ours %v", s.Framework, got.header, answers[s.Framework].header)
			}
		}
	}
}
