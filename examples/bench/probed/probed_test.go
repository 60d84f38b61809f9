package probed

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

const page = "../../../docs/probed-stacks.md"

// TestStacksAnswerAsThePageSays probes each stack, and compares what is found with
// its section of the page.
func TestStacksAnswerAsThePageSays(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stacks {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s.serve(t, l)
			report := ask(t, "http://"+l.Addr().String())
			_, section, ok := strings.Cut(string(text), "\n## "+s.name+"\n")
			if !ok {
				t.Errorf("no section %q", s.name)
			}
			section, _, _ = strings.Cut(section, "\n## ")
			for _, want := range []string{versions(t, s.modules), answers(report), found(report)} {
				if !strings.Contains(section, want) {
					t.Errorf("the section %q does not have\n%s", s.name, want)
				}
			}
		})
	}
}

// ask probes a service as the command does.
func ask(t *testing.T, url string) *probe.Report {
	client, err := probe.NewClient(url)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s := probe.Settings{
		Host:   strings.TrimPrefix(url, "http://"),
		Routes: []probe.Route{{Method: "GET", Pattern: "/healthz", Public: true}},
		Words:  []string{"editor", "viewer"},
		Expect: func(as, method, path string) probe.Verdict {
			switch {
			case path == "/admin/users", method == "PUT" && as == "victor":
				return probe.Deny
			case path == "/reports", path == "/reports/1":
				return probe.Allow
			}
			return probe.Unknown
		},
	}
	for _, r := range guarded {
		s.Routes = append(s.Routes, probe.Route{Method: r[0], Pattern: r[1], Write: r[0] != "GET"})
	}
	ends := time.Now().Add(time.Hour)
	for _, one := range []struct{ name, token string }{
		{"erin", token(t, "erin", ends, "reports:read", "reports:write")},
		{"victor", token(t, "victor", ends, "reports:read")},
		{"victor, expired", token(t, "victor", ends.Add(-2*time.Hour), "reports:read")},
	} {
		s.Identities = append(s.Identities, probe.Identity{Name: one.name, Header: []core.Field{{Name: "Authorization", Value: "Bearer " + one.token}}})
	}
	report, err := probe.Run(t.Context(), s, client, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// versions is the line of a section with the modules that were asked.
func versions(t *testing.T, modules []string) string {
	text, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, name := range modules {
		_, after, ok := strings.Cut(string(text), "\t"+name+" ")
		if !ok {
			t.Fatalf("%s is no module that go.mod requires", name)
		}
		parts = append(parts, "`"+name+"` "+strings.Fields(after)[0])
	}
	return strings.Join(parts, ", ") + ".\n"
}

// answers is the table of statuses.
func answers(r *probe.Report) string {
	table := r.Table()
	text := "| route | " + strings.Join(table.People, " | ") + " |\n|---|" + strings.Repeat("---|", len(table.People)) + "\n"
	for _, row := range table.Rows {
		text += "| " + row.Method + " " + row.Path + " |"
		for _, name := range table.People {
			text += " " + row.Status[name] + " |"
		}
		text += "\n"
	}
	return text
}

// found is the table of findings: a line for each code, with its first request.
func found(r *probe.Report) string {
	text := "| finding | times | first seen for | got |\n|---|---|---|---|\n"
	var codes []string
	for _, f := range r.Findings {
		if slices.Contains(codes, f.Code) {
			continue
		}
		codes = append(codes, f.Code)
		n := 0
		for _, o := range r.Findings {
			if o.Code == f.Code {
				n++
			}
		}
		text += fmt.Sprintf("| [`%s`](probe.md#%s) | %d | %s `%s` as %s | %s |\n", f.Code, f.Code, n, f.Method, f.Path, f.As, strings.ReplaceAll(f.Got, "|", "\\|"))
	}
	return text
}
