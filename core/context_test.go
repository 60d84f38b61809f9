package core_test

import (
	"context"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

func TestPrincipalFrom(t *testing.T) {
	type key struct{}
	type other struct{}
	alice := newPrincipal(t, core.PrincipalInfo{ID: "alice"})
	base := context.WithValue(t.Context(), key{}, "kept")

	if p, ok := core.PrincipalFrom(base); p != nil || ok {
		t.Errorf("an unguarded context has %v, %v", p, ok)
	}
	if p, ok := core.PrincipalFrom(core.ContextWithPrincipal(base, nil)); p != nil || ok {
		t.Errorf("no principal came out as %v, %v", p, ok)
	}
	ctx := core.ContextWithPrincipal(base, alice)
	child, cancel := context.WithCancel(context.WithValue(ctx, other{}, 1))
	defer cancel()
	for _, c := range []context.Context{ctx, child} {
		if p, ok := core.PrincipalFrom(c); p != alice || !ok {
			t.Errorf("got %v, %v", p, ok)
		}
		if c.Value(key{}) != "kept" {
			t.Error("the parent's values are hidden")
		}
	}
	cancel()
	if child.Err() == nil || ctx.Err() != nil {
		t.Error("cancellation does not follow the parents")
	}
}
