package casbinrules_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

// million is a policy of a million rules: 50 objects for each of 20,000 users, who
// have a role that is denied one of 10,000 objects.
func million(b *testing.B) *casbinrules.Authorizer {
	b.Helper()
	var text strings.Builder
	for user := range 20_000 {
		fmt.Fprintf(&text, "g, user%d, staff\n", user)
		for n := range 50 {
			fmt.Fprintf(&text, "p, user%d, /docs/%d, GET, allow\n", user, user*50+n)
		}
	}
	for n := range 100 {
		fmt.Fprintf(&text, "p, staff, /docs/%d, GET, deny\n", n*10_000+7)
	}
	a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(text.String())}}, casbinrules.RBACWithDeny(), []string{"policy.csv"})
	if err != nil {
		b.Fatal(err)
	}
	return a
}

func benchUser(b *testing.B, id string) *core.Principal {
	b.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: id})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkObjects lists the 50 objects of one user among a million rules.
func BenchmarkObjects(b *testing.B) {
	a, p := million(b), benchUser(b, "user777")
	if _, err := a.Objects(b.Context(), p, casbinrules.Action{Name: "GET"}); err != nil { // makes the lists
		b.Fatal(err)
	}
	for b.Loop() {
		set, err := a.Objects(b.Context(), p, casbinrules.Action{Name: "GET"})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for range set.Grants("") {
			n++
		}
		if n != 50 {
			b.Fatalf("%d objects", n)
		}
	}
}

// BenchmarkFilter keeps those of 10,000 objects that one user may read.
func BenchmarkFilter(b *testing.B) {
	a, p := million(b), benchUser(b, "user777")
	objects := make([]string, 10_000)
	for i := range objects {
		objects[i] = fmt.Sprintf("/docs/%d", 30_000+i)
	}
	for b.Loop() {
		if allowed, err := a.Filter(b.Context(), p, casbinrules.Action{Name: "GET"}, objects); err != nil || len(allowed) != 50 {
			b.Fatal(len(allowed), err)
		}
	}
}

// BenchmarkSubjects lists who may read one object among a million rules.
func BenchmarkSubjects(b *testing.B) {
	a := million(b)
	for b.Loop() {
		set, err := a.Subjects(b.Context(), "", "/docs/38850", casbinrules.Action{Name: "GET"})
		if err != nil || len(set.Users) != 1 {
			b.Fatal(set, err)
		}
	}
}
