package authzen_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authzen"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// policy allows what the Certification Scenario of AuthZEN 1.0 wants of its
// fixture; "down" is an outage.
type policy struct{}

func (policy) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	object := a.Resource.Name + a.Resource.Path
	if object == "down" {
		return core.Decision{}, &core.UnavailableError{Err: errors.New("the database is away")}
	}
	allowed := map[string]bool{
		"alice read record-1": true, "alice write record-1": true, "bob read record-1": true,
		"alice read /reports/7": true, "alice GET /reports/7": a.Request.Method() == "GET",
	}
	return core.Decision{Allowed: allowed[p.ID()+" "+a.Action+" "+object]}, nil
}

// recorder keeps the last event.
type recorder struct{ last core.Event }

func (r *recorder) Observe(_ context.Context, e core.Event) { r.last = e }

// server serves the endpoints; password is that of everybody.
func server(t *testing.T, opts ...authzen.Option) (*httptest.Server, *recorder) {
	t.Helper()
	users, err := basic.New("records", basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if password != "secret" {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	events := new(recorder)
	guard, err := core.NewGuard([]core.Authenticator{users}, core.WithAuthorizer(policy{}), core.WithObserver(events))
	if err != nil {
		t.Fatal(err)
	}
	pdp, err := authzen.New(guard, policy{}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := authzen.Metadata("https://pdp.example")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/access/v1/evaluation", httpauth.Serve(pdp.Evaluation))
	mux.Handle("/access/v1/evaluations", httpauth.Serve(pdp.Evaluations))
	mux.Handle("/.well-known/authzen-configuration", httpauth.Serve(metadata))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s, events
}

// post sends a body as user.
func post(t *testing.T, s *httptest.Server, path, user, body string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	if user != "" {
		r.SetBasicAuth(user, "secret")
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

const (
	alice  = `"subject": {"type": "user", "id": "alice"}`
	read   = `"action": {"name": "read"}`
	record = `"resource": {"type": "object", "id": "record-1"}`
)

// Sections of AuthZEN's Certification Scenario for Authorization API 1.0.
func TestCertificationScenario(t *testing.T) {
	s, _ := server(t)
	for name, c := range map[string]struct {
		path, user, body string
		status           int
		want             string
	}{
		"permit":                {"evaluation", "alice", "{" + alice + "," + read + "," + record + "}", 200, `{"decision":true}`},
		"deny":                  {"evaluation", "bob", `{"subject": {"type": "user", "id": "bob"}, "action": {"name": "write"}, ` + record + "}", 200, `{"decision":false}`},
		"context":               {"evaluation", "alice", "{" + alice + "," + read + "," + record + `, "context": {"time": "2025-06-27T18:03-07:00"}}`, 200, `{"decision":true}`},
		"properties":            {"evaluation", "alice", `{"subject": {"type": "user", "id": "alice", "properties": {"role": "x"}},` + read + "," + record + "}", 200, `{"decision":true}`},
		"unknown fields":        {"evaluation", "alice", "{" + alice + "," + read + "," + record + `, "foo": "bar", "future": {"nested": true}}`, 200, `{"decision":true}`},
		"no subject":            {"evaluation", "alice", "{" + read + "," + record + "}", 400, "subject.type is missing"},
		"no action":             {"evaluation", "alice", "{" + alice + "," + record + "}", 400, "action.name is missing"},
		"no resource":           {"evaluation", "alice", "{" + alice + "," + read + "}", 400, "resource.type is missing"},
		"subject without type":  {"evaluation", "alice", `{"subject": {"id": "alice"},` + read + "," + record + "}", 400, "subject.type is missing"},
		"subject without id":    {"evaluation", "alice", `{"subject": {"type": "user"},` + read + "," + record + "}", 400, "subject.id is missing"},
		"action without name":   {"evaluation", "alice", "{" + alice + `, "action": {},` + record + "}", 400, "action.name is missing"},
		"resource without id":   {"evaluation", "alice", "{" + alice + "," + read + `, "resource": {"type": "object"}}`, 400, "resource.id is missing"},
		"malformed":             {"evaluation", "alice", "{" + alice, 400, "not a JSON object"},
		"a member twice":        {"evaluation", "alice", "{" + alice + "," + alice + "," + read + "," + record + "}", 400, "not a JSON object"},
		"empty":                 {"evaluation", "alice", "", 400, "not a JSON object"},
		"subject a string":      {"evaluation", "alice", `{"subject": "alice",` + read + "," + record + "}", 400, "subject is not an object"},
		"action a number":       {"evaluation", "alice", "{" + alice + `, "action": {"name": 123},` + record + "}", 400, "action.name is not a string"},
		"too long":              {"evaluation", "alice", "{" + alice + strings.Repeat(" ", 1<<20) + "}", 400, "longer than 1048576 bytes"},
		"a long path":           {"evaluation", "alice", "{" + alice + "," + read + `, "resource": {"type": "path", "id": "/` + strings.Repeat("x", 8<<10) + `"}}`, 400, "resource.id is longer than 8192 bytes"},
		"a long query":          {"evaluation", "alice", "{" + alice + "," + read + `, "resource": {"type": "path", "id": "/reports/7?` + strings.Repeat("x", 8<<10) + `"}}`, 400, "resource.id is longer than 8192 bytes"},
		"a long action":         {"evaluation", "alice", "{" + alice + `, "action": {"name": "` + strings.Repeat("x", 8<<10+1) + `"},` + record + "}", 400, "action.name is longer than 8192 bytes"},
		"one long path for two": {"evaluations", "alice", "{" + alice + "," + read + `, "resource": {"type": "path", "id": "/` + strings.Repeat("x", 8<<10) + `"}, "evaluations": [{}, {` + record + "}]}", 200, `{"evaluations":[{"decision":false,"context":{"error":{"status":400,"message":"resource.id is longer than 8192 bytes"}}},{"decision":true}]}`},
		"path":                  {"evaluation", "alice", "{" + alice + "," + read + `, "resource": {"type": "path", "id": "/reports/%37/?page=2"}}`, 200, `{"decision":true}`},
		"method":                {"evaluation", "alice", "{" + alice + `, "action": {"name": "GET"}, "resource": {"type": "path", "id": "/reports/7"}}`, 200, `{"decision":true}`},
		"path with dots":        {"evaluation", "alice", "{" + alice + "," + read + `, "resource": {"type": "path", "id": "/x/../reports/7"}}`, 200, `{"decision":false,"context":{"error":{"status":400,"message":"a request for this path is answered with 400"}}}`},
		"unknown type":          {"evaluation", "alice", "{" + alice + "," + read + `, "resource": {"type": "spaceship", "id": "1"}}`, 200, `{"decision":false,"context":{"error":{"status":400,"message":"unknown type of resource"}}}`},
		"batch":                 {"evaluations", "alice", "{" + alice + "," + read + `, "evaluations": [{` + record + `}, {"resource": {"type": "object", "id": "record-2"}}]}`, 200, `{"evaluations":[{"decision":true},{"decision":false}]}`},
		"no defaults":           {"evaluations", "alice", `{"evaluations": [{` + alice + "," + read + "," + record + "}]}", 200, `{"evaluations":[{"decision":true}]}`},
		"type by default":       {"evaluations", "alice", "{" + alice + "," + read + `, "resource": {"type": "object"}, "evaluations": [{"resource": {"id": "record-1"}}, {}]}`, 200, `{"evaluations":[{"decision":true},{"decision":false,"context":{"error":{"status":400,"message":"resource.id is missing"}}}]}`},
		"one that is none":      {"evaluations", "alice", "{" + alice + "," + read + "," + record + `, "evaluations": [1, {}]}`, 200, `{"evaluations":[{"decision":false,"context":{"error":{"status":400,"message":"the evaluation is not an object"}}},{"decision":true}]}`},
		"without evaluations":   {"evaluations", "alice", "{" + alice + "," + read + "," + record + "}", 200, `{"decision":true}`},
		"empty evaluations":     {"evaluations", "alice", "{" + alice + "," + read + "," + record + `, "evaluations": []}`, 200, `{"decision":true}`},
		"evaluations no array":  {"evaluations", "alice", "{" + alice + "," + read + "," + record + `, "evaluations": {}}`, 400, "evaluations is not an array"},
		"deny on first deny":    {"evaluations", "alice", "{" + alice + "," + record + `, "options": {"evaluations_semantic": "deny_on_first_deny"}, "evaluations": [{"action": {"name": "read"}}, {"action": {"name": "fly"}}, {"action": {"name": "write"}}]}`, 200, `{"evaluations":[{"decision":true},{"decision":false}]}`},
		"permit on first":       {"evaluations", "alice", "{" + alice + "," + record + `, "options": {"evaluations_semantic": "permit_on_first_permit"}, "evaluations": [{"action": {"name": "fly"}}, {"action": {"name": "read"}}, {"action": {"name": "write"}}]}`, 200, `{"evaluations":[{"decision":false},{"decision":true}]}`},
		"unknown semantic":      {"evaluations", "alice", "{" + alice + "," + read + "," + record + `, "options": {"evaluations_semantic": "all"}, "evaluations": [{}]}`, 400, "is not one of execute_all"},
		"too many":              {"evaluations", "alice", "{" + alice + "," + read + "," + record + `, "evaluations": [{}` + strings.Repeat(",{}", 1_000) + "]}", 400, "at most 1000"},
		"another subject":       {"evaluation", "bob", "{" + alice + "," + read + "," + record + "}", 403, ""},
		"somebody else in many": {"evaluations", "bob", "{" + read + "," + record + `, "evaluations": [{"subject": {"type": "user", "id": "bob"}}, {` + alice + "}]}", 403, ""},
		"nobody":                {"evaluation", "", "{" + alice + "," + read + "," + record + "}", 401, ""},
		"an outage":             {"evaluations", "alice", "{" + alice + "," + read + `, "evaluations": [{` + record + `}, {"resource": {"type": "object", "id": "down"}}]}`, 503, ""},
	} {
		t.Run(name, func(t *testing.T) {
			resp, got := post(t, s, "/access/v1/"+c.path, c.user, c.body, "X-Request-ID", "bfe9eb29")
			if resp.StatusCode != c.status || c.status == 200 && got != c.want || !strings.Contains(got, c.want) {
				t.Errorf("%d %s, want %d %s", resp.StatusCode, got, c.status, c.want)
			}
			if challenged := resp.Header.Get("WWW-Authenticate") != ""; challenged != (c.status == 401) {
				t.Errorf("challenge %q", resp.Header.Get("WWW-Authenticate"))
			}
			if c.status <= 400 && resp.Header.Get("X-Request-ID") != "bfe9eb29" {
				t.Errorf("X-Request-ID %q", resp.Header.Get("X-Request-ID"))
			}
			if resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control %q", resp.Header.Get("Cache-Control"))
			}
		})
	}
	for _, mediaType := range []string{"", "text/plain", "application/x-www-form-urlencoded"} { // §2.4.3
		if resp, _ := post(t, s, "/access/v1/evaluation", "alice", "{"+alice+","+read+","+record+"}", "Content-Type", mediaType); resp.StatusCode != 400 {
			t.Errorf("%q: %d", mediaType, resp.StatusCode)
		}
	}
}

// TestForeignSubjectIsAnEvent: operators see who asks about others.
func TestForeignSubjectIsAnEvent(t *testing.T) {
	s, events := server(t)
	post(t, s, "/access/v1/evaluation", "bob", "{"+alice+","+read+","+record+"}")
	if e := events.last; e.Status != 403 || e.Reason != authzen.ReasonForeignSubject || e.PrincipalID != "bob" {
		t.Errorf("event %+v", e)
	}
}

// TestSubjects: a gateway asks for its users, and nobody else does.
func TestSubjects(t *testing.T) {
	s, _ := server(t, authzen.WithSubjects(func(_ context.Context, asker *core.Principal, subject authzen.Entity) (*core.Principal, error) {
		if subject.ID == "lost" {
			return nil, errors.New("the directory does not answer")
		}
		if asker.ID() != "gateway" {
			return nil, nil
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: subject.ID})
	}))
	for user, want := range map[string]int{"gateway": 200, "alice": 403} {
		if resp, body := post(t, s, "/access/v1/evaluation", user, "{"+alice+","+read+","+record+"}"); resp.StatusCode != want || want == 200 && body != `{"decision":true}` {
			t.Errorf("%s: %d %s", user, resp.StatusCode, body)
		}
	}
	if resp, _ := post(t, s, "/access/v1/evaluation", "gateway", `{"subject": {"type": "user", "id": "lost"},`+read+","+record+"}"); resp.StatusCode != 503 {
		t.Errorf("a directory that is away: %d", resp.StatusCode)
	}
}

// TestFunctionsThatFail: a directory that is away denies nobody, and a panic ends no
// process.
func TestFunctionsThatFail(t *testing.T) {
	s, events := server(t, authzen.WithResources(func(_ *core.Principal, r authzen.Entity) (core.Resource, error) {
		switch r.ID {
		case "away":
			return core.Resource{}, &core.UnavailableError{Err: errors.New("the database at 10.0.0.7 is away")}
		case "odd":
			panic("an odd one")
		case "wrong":
			return core.Resource{}, errors.New("there is no such record")
		}
		return core.Resource{Name: r.ID}, nil
	}))
	for id, want := range map[string]int{"away": 503, "odd": 500, "wrong": 200, "record-1": 200} {
		resp, body := post(t, s, "/access/v1/evaluation", "alice", "{"+alice+","+read+`, "resource": {"type": "record", "id": "`+id+`"}}`)
		if resp.StatusCode != want || strings.Contains(body, "10.0.0.7") || strings.Contains(body, "odd one") {
			t.Errorf("%s: %d %s, want %d", id, resp.StatusCode, body, want)
		}
		if want != 200 && events.last.Status != want {
			t.Errorf("%s: event %+v", id, events.last)
		}
	}
}

func TestMetadata(t *testing.T) {
	s, _ := server(t)
	resp, err := s.Client().Get(s.URL + "/.well-known/authzen-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	want := `{"access_evaluation_endpoint":"https://pdp.example/access/v1/evaluation","access_evaluations_endpoint":"https://pdp.example/access/v1/evaluations","policy_decision_point":"https://pdp.example"}`
	if err != nil || string(body) != want || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v, want %s", body, err, want)
	}
	for _, base := range []string{"", "http://pdp.example", "https://pdp.example/", "https://pdp.example?x", "https://pdp.example#x", "pdp.example"} {
		if _, err := authzen.Metadata(base); err == nil {
			t.Errorf("%q is taken", base)
		}
	}
}

func TestMisassembly(t *testing.T) {
	guard, err := core.NewGuard([]core.Authenticator{mustBasic(t)})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no guard":      second(authzen.New(nil, policy{})),
		"no authorizer": second(authzen.New(guard, nil)),
		"nil pointer":   second(authzen.New(guard, (*policy)(nil))),
		"nil subjects":  second(authzen.New(guard, policy{}, authzen.WithSubjects(nil))),
		"nil resources": second(authzen.New(guard, policy{}, authzen.WithResources(nil))),
		"no questions":  second(authzen.New(guard, policy{}, authzen.WithMaxQuestions(0))),
		"nil option":    second(authzen.New(guard, policy{}, nil)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "authzen: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ *authzen.PDP, err error) error { return err }

func mustBasic(t *testing.T) core.Authenticator {
	t.Helper()
	s, err := basic.New("records", basic.VerifierFunc(func(context.Context, string, string) (*core.Principal, error) {
		return nil, basic.ErrWrongPassword
	}))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
