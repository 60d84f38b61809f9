package casbinrules

import "testing"

// TestNoTwoQuestionsReadTheSame: an answer is remembered for one question alone,
// however its texts are shared out between object and principal.
func TestNoTwoQuestionsReadTheSame(t *testing.T) {
	r := newRemembered()
	about := func(values ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(values); i += 2 {
			m[values[i]] = values[i+1]
		}
		return m
	}
	seen := map[uint64]int{}
	for i, q := range []uint64{
		r.question(tenantOf(t, "t", "u"), false, "o", "a", about("x", "y")),
		r.question(tenantOf(t, "y", "x", "u", "t"), false, "o", "a", nil),
		r.question(tenantOf(t, "y", "x", "u"), false, "o", "a", about()),
		r.question(tenantOf(t, "", "u", "t"), false, "o", "a", about("x", "y")),
		r.question(nil, false, "o", "a", about("x", "y")),
		r.question(tenantOf(t, "y", "x"), false, "o", "a", nil),
		r.question(nil, false, "o", "a", nil),
		r.question(nil, false, "oa", "", nil),
	} {
		if at, known := seen[q]; known {
			t.Errorf("questions %d and %d read the same", at, i)
		}
		seen[q] = i
	}
}
