package casbinrules

import (
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core"
)

// TestNoTwoQuestionsReadTheSame: a cached answer is for one question only, however its
// texts are divided between object, principal and attributes (H10).
func TestNoTwoQuestionsReadTheSame(t *testing.T) {
	r := newRemembered()
	about := func(values ...string) core.Attributes {
		v := new(attributeValues)
		for i := 0; i < len(values); i += 2 {
			v.names, v.values = append(v.names, values[i]), append(v.values, model.Value{Text: values[i+1]})
		}
		return v
	}
	seen := map[uint64]int{}
	for i, q := range []uint64{
		r.question(tenantOf(t, "t", "u"), false, "o", "a", about("x", "y")),
		r.question(tenantOf(t, "y", "x", "u", "t"), false, "o", "a", nil),
		r.question(tenantOf(t, "y", "x", "u"), false, "o", "a", about()),
		r.question(tenantOf(t, "t", "u", "x", "y"), false, "o", "a", nil),
		r.question(tenantOf(t, "t", "u"), false, "o", "a", about("x", "z")),
		r.question(tenantOf(t, "t", "u"), false, "o", "a", about("x", "y", "z", "")),
		r.question(tenantOf(t, "", "u", "t"), false, "o", "a", about("x", "y")),
		r.question(nil, false, "o", "a", about("x", "y")),
		r.question(tenantOf(t, "y", "x"), false, "o", "a", nil),
		r.question(nil, false, "o", "a", nil),
		r.question(nil, false, "oa", "", nil),
		r.question(tenantOf(t, "t2", "u"), false, "o", "a", about("x", "y")),
		r.question(tenantOf(t, "t", "v"), false, "o", "a", about("x", "y")),
		r.question(tenantOf(t, "t", "u"), false, "o", "b", about("x", "y")),
		r.question(tenantOf(t, "t", "u"), false, "p", "a", about("x", "y")),
		r.question(tenantOf(t, "t", "u"), false, "o", "a", about("w", "y")),
	} {
		if at, known := seen[q]; known {
			t.Errorf("questions %d and %d read the same", at, i)
		}
		seen[q] = i
	}
}
