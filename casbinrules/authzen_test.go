package casbinrules_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authzen"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// todoUsers are the users of AuthZEN's Todo scenario: subject, address and roles.
var todoUsers = map[string]struct {
	email string
	roles []string
}{
	"rick": {"rick@citadel.example", []string{"admin", "evil_genius"}}, "morty": {"morty@citadel.example", []string{"editor"}},
	"summer": {"summer@smiths.example", []string{"editor"}}, "beth": {"beth@smiths.example", []string{"viewer"}}, "jerry": {"jerry@smiths.example", []string{"viewer"}},
}

const todoPolicy = `p, viewer, user, can_read_user
p, viewer, todo/*, can_read_todos
p, editor, todo/*, can_create_todo
p, editor, todo/own, can_update_todo
p, editor, todo/own, can_delete_todo
p, evil_genius, todo/*, can_update_todo
p, admin, todo/*, can_delete_todo
g, editor, viewer
g, admin, editor
g, evil_genius, editor
`

// todoPDP answers the application, called pep, about its users.
func todoPDP(t *testing.T) *httptest.Server {
	t.Helper()
	principal := func(id string, roles ...string) (*core.Principal, error) {
		return core.NewPrincipal(core.PrincipalInfo{ID: id, Roles: roles})
	}
	scheme, err := basic.New("todo", basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if user != "pep" || password != "secret" {
			return nil, basic.ErrWrongPassword
		}
		return principal(user)
	}))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(todoPolicy)}}, casbinrules.RBAC(), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(policy))
	if err != nil {
		t.Fatal(err)
	}
	pdp, err := authzen.New(guard, policy,
		authzen.WithSubjects(func(_ context.Context, asker *core.Principal, s authzen.Entity) (*core.Principal, error) {
			user, known := todoUsers[s.ID]
			switch {
			case asker.ID() != "pep":
				return nil, nil
			case s.ID == "down":
				return nil, errors.New("the directory does not answer")
			case !known:
				return principal("unknown")
			}
			return principal(s.ID, user.roles...)
		}),
		authzen.WithResources(func(p *core.Principal, r authzen.Entity) (core.Resource, error) {
			name := r.Type
			if r.Type == "todo" {
				name = "todo/" + "other"
				if r.Properties["ownerID"] == todoUsers[p.ID()].email {
					name = "todo/" + "own"
				}
			}
			return core.Resource{Name: name}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/access/v1/evaluation", httpauth.Serve(pdp.Evaluation))
	mux.Handle("/access/v1/evaluations", httpauth.Serve(pdp.Evaluations))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func postTodo(t *testing.T, s *httptest.Server, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("pep", "secret")
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestTodoScenario sends the requests of the Todo application of AuthZEN's interoperability
// events, and expects its decisions.
func TestTodoScenario(t *testing.T) {
	s := todoPDP(t)
	question := func(user, action, kind, owner string) string {
		return `{"subject": {"type": "user", "id": "` + user + `"}, "action": {"name": "` + action + `"}, "resource": {"type": "` + kind + `", "id": "1", "properties": {"ownerID": "` + owner + `"}}, "context": {}}`
	}
	for user, of := range todoUsers {
		edits, deletes, all := of.roles[0] != "viewer", of.roles[0] == "admin", len(of.roles) > 1
		for _, c := range []struct {
			action, kind, owner string
			want                bool
		}{
			{"can_read_user", "user", "", true},
			{"can_read_todos", "todo", "", true},
			{"can_create_todo", "todo", "", edits},
			{"can_update_todo", "todo", of.email, edits},
			{"can_update_todo", "todo", "somebody@else.example", all},
			{"can_delete_todo", "todo", of.email, edits},
			{"can_delete_todo", "todo", "somebody@else.example", deletes},
			{"can_fly", "todo", of.email, false},
		} {
			want := `{"decision":false}`
			if c.want {
				want = `{"decision":true}`
			}
			for _, path := range []string{"/access/v1/evaluation", "/access/v1/evaluations"} {
				if status, got := postTodo(t, s, path, question(user, c.action, c.kind, c.owner)); status != 200 || got != want {
					t.Errorf("%s %s of %q by %s: %d %s, want %s", path, c.action, c.owner, user, status, got, want)
				}
			}
		}
	}
	status, got := postTodo(t, s, "/access/v1/evaluations", `{"subject": {"type": "user", "id": "morty"}, "action": {"name": "can_update_todo"}, "resource": {}, "context": {}, "evaluations": [
		{"resource": {"type": "todo", "id": "1", "properties": {"ownerID": "rick@citadel.example"}}},
		{"resource": {"type": "todo", "id": "2", "properties": {"ownerID": "morty@citadel.example"}}}]}`)
	if want := `{"evaluations":[{"decision":false},{"decision":true}]}`; status != 200 || got != want {
		t.Errorf("%d %s, want %s", status, got, want)
	}
}
