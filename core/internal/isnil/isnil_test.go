package isnil

import "testing"

func TestValue(t *testing.T) {
	n := 0
	for _, v := range []any{nil, (*int)(nil), (func())(nil), map[string]int(nil)} {
		if !Value(v) {
			t.Errorf("%T is something", v)
		}
	}
	for _, v := range []any{0, "", struct{}{}, &n, func() {}, map[string]int{}} {
		if Value(v) {
			t.Errorf("%T is nothing", v)
		}
	}
}
