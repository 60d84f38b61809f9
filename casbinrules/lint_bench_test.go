package casbinrules

import (
	"fmt"
	"strings"
	"testing"
)

// large is a policy of n p lines and n g lines: a tenth of the rules are for
// one subject, the others for many.
func large(n int) string {
	var b strings.Builder
	for i := range n {
		subject := "admin"
		if i%10 > 0 {
			subject = fmt.Sprintf("role%d", i%(n/10))
		}
		fmt.Fprintf(&b, "p, %s, /a%d/:id/b%d/*, %s\n", subject, i%1000, i, []string{"GET", "PUT", "POST", "*"}[i%4])
		fmt.Fprintf(&b, "g, user%d, role%d\n", i, i%(n/10))
	}
	return b.String()
}

// BenchmarkLint lints 100,000 rules and as many role links.
func BenchmarkLint(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		fsys := files("p.csv", large(n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := LintFS(fsys, RBAC(), []string{"p.csv"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
