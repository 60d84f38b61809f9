package distinct

import (
	"slices"
	"testing"
)

func TestAdd(t *testing.T) {
	if got := Add([]string{"b"}, "a", "b", "a", "c"); !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Errorf("got %q", got)
	}
	if got := Add[string](nil); got != nil {
		t.Errorf("got %q", got)
	}
}
