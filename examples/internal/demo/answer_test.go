package demo

import (
	"encoding/json"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

func TestNeutralRoute(t *testing.T) {
	for native, want := range map[string]string{
		"/reports/:id":             "/reports/:id",
		"/files/*":                 "/files/*",
		"/files/*path":             "/files/*",
		"/reports/{id}":            "/reports/:id",
		"GET /reports/{id}":        "/reports/:id",
		"/files/{path...}":         "/files/*",
		"DELETE example.com/a/{b}": "/a/:b",
		"":                         "",
	} {
		if got := neutral(native); got != want {
			t.Errorf("%q becomes %q, want %q", native, got, want)
		}
	}
}

func TestAnswer(t *testing.T) {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "carol", Scheme: "Basic", Roles: []string{"viewer", "admin", "viewer"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		principal *core.Principal
		want      string
	}{
		{nil, `{"route":"/whoami","subject":"","scheme":"","roles":[]}`},
		{p, `{"route":"/whoami","subject":"carol","scheme":"Basic","roles":["admin","viewer"]}`},
	} {
		got, err := json.Marshal(NewAnswer("GET /whoami", c.principal))
		if err != nil || string(got) != c.want {
			t.Errorf("got %s, %v, want %s", got, err, c.want)
		}
	}
}
