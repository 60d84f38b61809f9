package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Row is a route with the status that each sender got.
type Row struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Status map[string]string `json:"status"`
	// Want is what each sender should get, if known: "401", "403", or "2xx". See
	// [Table.Expect].
	Want map[string]string `json:"want,omitempty"`
}

// Table says which status each sender got for each route.
type Table struct {
	// People lists all senders, in the order of their requests.
	People []string
	Rows   []Row
}

// Table returns the statuses of the plain requests. After a redirect it is
// "302→200", and without a response "none".
func (r *Report) Table() Table {
	t := Table{Rows: []Row{}}
	for _, x := range r.Exchanges {
		if x.Purpose != Plain || x.Direct {
			continue
		}
		i := slices.IndexFunc(t.Rows, func(row Row) bool { return row.Method == x.Method && row.Path == x.Target })
		if i < 0 {
			i = len(t.Rows)
			t.Rows = append(t.Rows, Row{Method: x.Method, Path: x.Target, Status: map[string]string{}})
		}
		if !slices.Contains(t.People, x.As) {
			t.People = append(t.People, x.As)
		}
		text := strconv.Itoa(x.Status)
		switch {
		case x.Err != nil:
			text = "none"
		case x.Via != nil:
			text = fmt.Sprintf("%d→%d", x.First, x.Status)
		}
		t.Rows[i].Status[x.As] = text
	}
	return t
}

// Expect fills in the statuses that each sender should get, as far as the public routes and
// s.Expect tell.
func (t Table) Expect(s *Settings) {
	for i, row := range t.Rows {
		path := strings.TrimPrefix(row.Path, s.Base)
		public := slices.ContainsFunc(s.Routes, func(r Route) bool {
			return r.Public && r.method() == row.Method && (r.target() == path || r.target() == row.Path)
		})
		for _, name := range t.People {
			if want := s.want(name, row.Method, path, public); want != "" {
				if t.Rows[i].Want == nil {
					t.Rows[i].Want = map[string]string{}
				}
				t.Rows[i].Want[name] = want
			}
		}
	}
}

// want returns the status that a sender should get, or "" if it is not known.
func (s *Settings) want(as, method, path string, public bool) string {
	bad := slices.ContainsFunc(s.Identities, func(id Identity) bool { return id.Name == as && id.Bad })
	switch {
	case bad:
		return "" // a public route may accept or refuse them
	case public:
		return "2xx"
	case as == Anonymous:
		return "401"
	case s.Expect == nil:
		return ""
	}
	switch s.Expect(as, method, path) {
	case Allow:
		return "2xx"
	case Deny:
		return "403"
	}
	return ""
}

// String returns the table as text, one line per route; "" without routes.
func (t Table) String() string {
	if len(t.Rows) == 0 {
		return ""
	}
	lines := [][]string{append([]string{"route"}, t.People...)}
	for _, row := range t.Rows {
		line := []string{row.Method + " " + row.Path}
		for _, name := range t.People {
			line = append(line, row.Status[name])
		}
		lines = append(lines, line)
	}
	width := make([]int, len(t.People)+1)
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		text := ""
		for i, cell := range line {
			text += cell + strings.Repeat(" ", width[i]-len([]rune(cell))+2)
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}
