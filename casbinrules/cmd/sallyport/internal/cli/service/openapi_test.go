package service

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

const openAPIConfig = `realm: reports
basic: {htpasswd: users.htpasswd}
policy: {model: model.conf, files: policy.csv}
answers: {formats: [problem, json], retry_after: 7s}
`

// The documented 401 equals the guard's answer, and so does a refusal by a rule.
func TestOpenAPISaysWhatTheGuardAnswers(t *testing.T) {
	file := configFolder(t, openAPIConfig)
	t.Chdir(filepath.Dir(file))
	writeFile(t, "routes.json", `[{"method": "GET", "pattern": "/reports/:id"}, {"method": "GET", "pattern": "/healthz"}]`)
	if o := run(t, "", "", "openapi", "--public", "/healthz", "-o", "openapi.json"); o.Code != exitOK || o.Stderr != "" {
		t.Fatalf("%+v", o)
	}
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	op := doc.Paths.Value("/reports/{id}").Get
	answer := op.Responses.Value("401").Value
	s, err := setup.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, accept := range []string{"application/problem+json", "application/json"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/reports/7", nil)
		r.Header.Set("Accept", accept)
		httpauth.Authorize(s.Guard())(nil).ServeHTTP(w, r)
		if got, want := answer.Headers["WWW-Authenticate"].Value.Example, w.Header().Get("WWW-Authenticate"); got != want {
			t.Errorf("the challenge is %v, want %q", got, want)
		}
		var body any
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		if err := answer.Content[accept].Schema.Value.VisitJSON(body); err != nil {
			t.Errorf("%s: %v", accept, err)
		}
	}
	if got := op.Responses.Value("503").Value.Headers["Retry-After"].Value.Example; got != 7.0 {
		t.Errorf("Retry-After: %v", got)
	}
	if open := doc.Paths.Value("/healthz").Get; open.Security != nil || open.Responses.Value("401") != nil {
		t.Error("/healthz is public")
	}
}

func TestOpenAPIWritesNothingThatIsWrong(t *testing.T) {
	file := configFolder(t, openAPIConfig)
	t.Chdir(filepath.Dir(file))
	if o := run(t, "", "", "openapi"); o.Code != exitUsage || !strings.Contains(o.Stderr, "there is no routes.json") {
		t.Errorf("%+v", o)
	}
	const text = "openapi: 3.1.0\ninfo: {title: a, version: \"1\"}\npaths: [1]\n"
	writeFile(t, "openapi.yaml", text)
	if o := run(t, "", "", "openapi", "-o", "openapi.yaml"); o.Code != exitUsage || !strings.Contains(o.Stderr, "paths is not an object") {
		t.Errorf("%+v", o)
	}
	if now, err := os.ReadFile("openapi.yaml"); err != nil || string(now) != text {
		t.Errorf("%v %s", err, now)
	}
}
