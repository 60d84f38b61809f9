package playground

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkKeystroke answers what an edit asks at 1,000 lines.
func BenchmarkKeystroke(b *testing.B) {
	var policy strings.Builder
	for i := range 700 {
		fmt.Fprintf(&policy, "p, role%d, /area%d/:id/items%d, %s\n", i%50, i%20, i, []string{"GET", "POST", "DELETE"}[i%3])
	}
	for i := range 300 {
		fmt.Fprintf(&policy, "g, user%d, role%d\n", i, i%50)
	}
	in := rbac(policy.String())
	in.Request = Request{Subject: "user7", Object: "/area7/1/items7", Action: "POST"}
	p := new(Playground)
	for b.Loop() {
		in.Files[PolicyFile] += "#"
		text, err := json.Marshal(in)
		if err != nil {
			b.Fatal(err)
		}
		if answer := p.Answer("look", string(text)); !strings.Contains(answer, `"loads":true`) {
			b.Fatal(answer)
		}
	}
}
