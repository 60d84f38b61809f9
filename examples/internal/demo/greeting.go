package demo

import (
	"fmt"
	"io"
	"text/template"
	"time"
)

// lifetime is how long the printed tokens are good.
const lifetime = time.Hour

// demoUser is one of the users in examples/policy, with claims for the token
// and a request to try. Roles come from the policy file.
type demoUser struct {
	name, about  string
	claims       map[string]any
	method, path string
	status       int
}

// demoUsers is made anew for each caller.
func demoUsers() []demoUser {
	return []demoUser{
		{"alice", "admin, in the region eu", map[string]any{"region": "eu"}, "GET", "/admin/reports", 200},
		{"erin", "editor, with the scope reports:read", map[string]any{"scope": "reports:read"}, "PATCH", "/reports/7", 200},
		{"victor", "viewer", nil, "PATCH", "/reports/7", 403},
		{"sam", "viewer, account suspended", nil, "POST", "/notes", 403},
		{"pam", "viewer, on the pro plan", map[string]any{"plan": plans["pam"]}, "GET", "/insights", 200},
	}
}

var greeting = template.Must(template.New("greeting").Parse(`
Requests to try, with what they answer under the built-in policy and users.

Nobody: GET /reports answers 401
curl -i {{.Address}}/reports
{{range .Users}}
{{.Name}}, {{.About}}: {{.Method}} {{.Path}} answers {{.Status}}
curl -i -X {{.Method}} -H 'Authorization: Bearer {{.Token}}' {{$.Address}}{{.Path}}
{{end}}
The tokens are good for {{.Lifetime}}. Passwords work too, each the name and "-pass": GET /reports answers 200
curl -i -u victor:victor-pass {{.Address}}/reports

`))

// greet writes requests to try, ready to paste, with a fresh token for each
// demo user. It writes nothing when the tokens are another issuer's.
func (d *Demo) greet(w io.Writer, address string) error {
	if d.own == nil {
		return nil
	}
	type line struct {
		Name, About, Method, Path, Token string
		Status                           int
	}
	var lines []line
	for _, u := range demoUsers() {
		token, err := d.own.Token(u.name, lifetime, u.claims)
		if err != nil {
			return err
		}
		lines = append(lines, line{u.name, u.about, u.method, u.path, token, u.status})
	}
	err := greeting.Execute(w, map[string]any{"Address": address, "Users": lines, "Lifetime": "an hour"})
	if err != nil {
		return fmt.Errorf("print the demo users: %w", err)
	}
	return nil
}
