package core

import (
	"fmt"
	"testing"
)

func TestNearestNames(t *testing.T) {
	many := []string{"admin", "auditor", "editor", "guest", "owner", "viewer", "reviewer"}
	for _, c := range []struct {
		name  string
		names []string
		want  string
	}{
		{"amdin", many[:2], "admin, auditor"},
		{"editr", many, "editor, auditor, admin, owner, guest, and 2 more"},
		{"viewer", many, "viewer, reviewer, owner, editor, guest, and 2 more"},
	} {
		if got := nearestNames(c.name, c.names); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	var large []string
	for i := range 100_000 {
		large = append(large, fmt.Sprintf("role-%d", i))
	}
	if got, want := nearestNames("role-77777x", large), "role-77777, role-7777, role-17777, role-27777, role-37777, and 99995 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
