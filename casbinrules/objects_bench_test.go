//go:build unix

package casbinrules_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

// millionRules are a policy of a million rules: 50 objects for each of 20,000 users,
// who have a role that is denied one of 10,000 objects.
func millionRules() string {
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
	return text.String()
}

func million(b *testing.B) *casbinrules.Authorizer {
	b.Helper()
	a, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(millionRules())}}, casbinrules.RBACWithDeny(), []string{"policy.csv"})
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// processor runs a benchmark and reports processor time, too: beside other work, wall time
// says little.
func processor(b *testing.B, f func()) {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	started := used()
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(used()-started)/float64(b.N)/1e6, "cpu-ms/op")
}

// BenchmarkListsByCasbin measures, with Casbin's enforcer, what lists are made of without
// this package: one decision, of which a filter of 10,000 objects takes 10,000 and the
// subjects of an object one for each of 20,000 users, and the permissions of a user.
func BenchmarkListsByCasbin(b *testing.B) {
	m, err := model.NewModelFromString(casbinrules.RBACWithDeny().Text())
	if err != nil {
		b.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m, lines{lines: strings.Split(millionRules(), "\n")})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Enforce", func(b *testing.B) {
		processor(b, func() {
			if allowed, err := e.Enforce("user777", "/docs/38850", "GET"); err != nil || !allowed {
				b.Fatal(allowed, err)
			}
		})
	})
	b.Run("GetImplicitPermissionsForUser", func(b *testing.B) {
		processor(b, func() {
			if found, err := e.GetImplicitPermissionsForUser("user777"); err != nil || len(found) != 150 {
				b.Fatal(len(found), err)
			}
		})
	})
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
	processor(b, func() {
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
	})
}

// BenchmarkFilter keeps those of 10,000 objects that one user may read.
func BenchmarkFilter(b *testing.B) {
	a, p := million(b), benchUser(b, "user777")
	objects := make([]string, 10_000)
	for i := range objects {
		objects[i] = fmt.Sprintf("/docs/%d", 30_000+i)
	}
	processor(b, func() {
		if allowed, err := a.Filter(b.Context(), p, casbinrules.Action{Name: "GET"}, objects); err != nil || len(allowed) != 50 {
			b.Fatal(len(allowed), err)
		}
	})
}

// BenchmarkSubjects lists who may read one object among a million rules.
func BenchmarkSubjects(b *testing.B) {
	a := million(b)
	processor(b, func() {
		set, err := a.Subjects(b.Context(), "", "/docs/38850", casbinrules.Action{Name: "GET"})
		if err != nil || len(set.Users) != 1 {
			b.Fatal(set, err)
		}
	})
}
