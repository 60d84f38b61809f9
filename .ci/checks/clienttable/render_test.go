package clienttable

import (
	"fmt"
	"strings"
)

const introduction = `# What clients do

What comes next once a client has an answer: seen, not assumed. ` + "`TestClientTable`" + ` has each client ask in each situation and writes this page from the requests that the application got. With Debian 12's curl, wget, nginx and Chromium; the first five ask servers on net/http, Gin, Echo and Fiber, which must all see the same.

- **signs in**: asks again with other credentials. **waits**: asks again, no sooner than ` + "`Retry-After`" + ` says. **follows**: goes where a redirect leads.
- **done**: the last answer is a success. **stops**: it is a refusal, and no request comes after it.
- 429 and 503 are over after the first answer; 500 is not. The guard takes sessions, bearer tokens and Basic, with its challenges in this order, and has ` + "`core.WithoutPrompts`" + `.

`

// render makes the page.
func render(columns []client, table [][]cell) string {
	var b strings.Builder
	b.WriteString(introduction)
	head := []string{"situation"}
	for _, c := range columns {
		head = append(head, c.name)
	}
	row(&b, head...)
	row(&b, strings.Split(strings.Repeat("---,", len(head)-1)+"---", ",")...)
	for i, s := range situations {
		line := []string{s.name}
		for _, cells := range table {
			line = append(line, cells[i].next)
		}
		row(&b, line...)
	}
	for i, c := range columns {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", c.name, c.about)
		row(&b, "situation", "answers of the application", "next", "result")
		row(&b, "---", "---", "---", "---")
		for j, cell := range table[i] {
			row(&b, situations[j].name, cell.answers, cell.next, cell.result)
		}
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
