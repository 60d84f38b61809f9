package distinct

import (
	"slices"
	"testing"
)

func TestAdd(t *testing.T) {
	if got := Add([]string{"b"}, "a", "b", "a", "c"); !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Errorf("got %q", got)
	}
	var many, want []int
	for i := range 100 {
		many, want = append(many, i%50, i), append(want, i)
	}
	if got := Add([]int{0}, many...); len(got) != len(want) || !slices.Equal(Add(nil, got...), got) || got[1] != 1 {
		t.Errorf("got %d", got)
	}
	if got := Add[string](nil); got != nil {
		t.Errorf("got %q", got)
	}
}
