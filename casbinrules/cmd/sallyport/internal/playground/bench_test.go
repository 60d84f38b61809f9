package playground

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkKeystroke answers the calls after an edit of 1,000 lines, in order: findings
// and decision, then the matrix, which is too large, and the tests.
func BenchmarkKeystroke(b *testing.B) {
	var policy strings.Builder
	for i := range 700 {
		fmt.Fprintf(&policy, "p, role%d, /area%d/:id/items%d, %s\n", i%50, i%20, i, []string{"GET", "POST", "DELETE"}[i%3])
	}
	for i := range 300 {
		fmt.Fprintf(&policy, "g, user%d, role%d\n", i, i%50)
	}
	in := rbac(policy.String())
	// No line mentions this one, so each line is compared with it.
	in.Request = Request{Subject: "erin", Object: "/reports/7", Action: "PATCH"}
	in.Files[TestsFile] = strings.Repeat("allow user7 /area7/1/items7 POST\n", 30)
	for call, want := range map[string]string{"look": `"loads":true`, "draw": `"error":`, "test": `"passed":30`} {
		b.Run(call, func(b *testing.B) {
			p := new(Playground)
			for b.Loop() {
				in.Files[PolicyFile] += "#"
				text, err := json.Marshal(in)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if call != "look" { // which has already loaded the policy
					p.Answer("look", string(text))
				}
				b.StartTimer()
				if answer := p.Answer(call, string(text)); !strings.Contains(answer, want) {
					b.Fatal(answer)
				}
			}
		})
	}
}
