package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core"
)

func TestTemplatesOfAllRouters(t *testing.T) {
	for pattern, want := range map[string]string{
		"/":                       "/",
		"/reports/:id":            "/reports/{id}",
		"/reports/:id<int>?":      "/reports/{id}",
		"/reports/:from-:to":      "/reports/{from}-{to}",
		"/files/*":                "/files/{path}",
		"/files/*rest":            "/files/{rest}",
		"/files/+":                "/files/{path}",
		"/a/*1/b/*2":              "/a/{path}/b/{path2}",
		"GET api.example/a/{id}":  "/a/{id}",
		"/a/{rest...}":            "/a/{rest}",
		"/a/{$}":                  "/a/",
		"/u/{id:[0-9]{3}}/x":      "/u/{id}/x",
		"/twice/:id/:id":          "/twice/{id}/{id2}",
		"/colon:/x":               "/colon:/x",
		"/open/{brace":            "/open/{brace",
		"/.well-known/a+b":        "/.well-known/a+b",
		"/percent/%7Bid%7D/v1:do": "/percent/%7Bid%7D/v1{do}",
	} {
		if got, _ := template(pattern); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}

// guard has two schemes and an answer.
func guard() Guard {
	return Guard{
		Schemes: []Scheme{{Name: "Bearer", Place: setup.InAuthorization, JWT: true}, {Name: "Session", Place: setup.InCookie, Field: "__Host-sid"}},
		Answers: []Answer{{
			Status: 401, Fields: []core.Field{{Name: "WWW-Authenticate", Value: `Digest realm="a", nonce="abc", opaque="d"`}},
			Bodies: []Body{{"application/problem+json", []byte(`{"title":"Unauthorized","status":401,"error":"x"}` + "\n")}},
		}},
	}
}

func never(string, string) bool { return false }

func route(method, pattern string) Route {
	return Route{RouteInfo: core.RouteInfo{Method: method, Pattern: pattern}}
}

const inYAML = `# About this file.
openapi: 3.1.0
info:
  title: Reports # shown
  version: "1.10"
jsonSchemaDialect: https://spec.openapis.org/oas/3.1/dialect/base
servers:
- url: https://api.example/v1
x-own: &own {limit: 1e3, when: 2026-01-02, no: "no"}
x-again: *own
webhooks:
  changed:
    post:
      responses: {"204": {description: seen}}
paths:
  /reports/{number}:
    parameters:
    - {name: number, in: path, required: true, schema: {type: [string, "null"], const: a}}
    get: &get
      responses:
        "200": {description: a report}
        "401": {description: ours}
      security:
      - ours: []
    head: *get
  /open:
    get:
      security: []
      responses: {default: {description: open}}
components:
  securitySchemes:
    ours: {type: http, scheme: basic}
    bearer: {type: http, scheme: basic}
`

const inJSON = `{"openapi":"3.0.3","info":{"title":"Ünï\ud83d\ude00","version":"1.10"},"x-own":{"b":1e3,"a":[1.50,12345678901234567890,null,true,"<&>"]},
"paths":{"/reports/{number}":{"get":{"responses":{"200":{"description":"ok"},"401":{"description":"ours"}},"security":[{"ours":[]}],
"parameters":[{"name":"number","in":"path","required":true,"schema":{"type":"string"}}]}}},"components":{"securitySchemes":{"ours":{"type":"http","scheme":"basic"},"bearer":{"type":"http","scheme":"basic"}}}}`

// A file's content is preserved, and merging again changes nothing.
func TestAFileKeepsWhatItHolds(t *testing.T) {
	for name, content := range map[string]string{"api.yaml": inYAML, "api.json": inJSON} {
		t.Run(name, func(t *testing.T) {
			before := parse(t, name, content)
			was := decode(t, before)
			doc := parse(t, name, content)
			if doc.Wrong() != nil {
				t.Fatal(doc.Wrong())
			}
			merge := func(d *Document) string {
				notes, err := d.Merge(guard(), []Route{route("GET", "/reports/:id"), route("PUT", "/reports/:id"), route("PURGE", "/x")}, never)
				if err != nil || !slices.Equal(notes, []string{"PURGE /x is left out: OpenAPI has no operation for PURGE"}) {
					t.Fatal(notes, err)
				}
				if err := d.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				text, err := d.Bytes()
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			}
			first := merge(doc)
			holds(t, "", was, decode(t, parse(t, name, first)))
			if second := merge(parse(t, name, first)); second != first {
				t.Errorf("a second time gives\n%s\nafter\n%s", second, first)
			}
			for _, want := range []string{"sallyport_bearer", `nonce=`, "…"} {
				if !strings.Contains(first, want) {
					t.Errorf("%q is missing in\n%s", want, first)
				}
			}
			if strings.Contains(first, "abc") || strings.Contains(first, "/reports/{id}") {
				t.Errorf("a nonce, or the same path twice, is in\n%s", first)
			}
		})
	}
}

// Without routes the file's operations are used, with the server's path in front.
func TestTheFilesOwnOperations(t *testing.T) {
	doc := parse(t, "api.yaml", inYAML)
	public := func(method, path string) bool { return path == "/v1/open" }
	if _, err := doc.Merge(guard(), nil, public); err != nil {
		t.Fatal(err)
	}
	paths := decode(t, doc)["paths"].(map[string]any)
	if _, ok := paths["/open"].(map[string]any)["get"].(map[string]any)["responses"].(map[string]any)["401"]; ok {
		t.Error("a public route has a 401")
	}
	if len(paths) != 2 {
		t.Errorf("paths: %v", paths)
	}
}

// TestSharedOperations: a change of one operation affects no other, even if they share
// parts by aliases or merge keys.
func TestSharedOperations(t *testing.T) {
	const item = "{get: {responses: {\"200\": {description: ok}}}}"
	for name, paths := range map[string]string{
		"items":              "/a: &a " + item + "\n  /b: *a\n  /c: *a",
		"the other way":      "/c: &a " + item + "\n  /b: *a\n  /a: *a",
		"merged items":       "/a: &a " + item + "\n  /b: {<<: *a}\n  /c: {<<: [*a]}",
		"operations":         "/a: {get: &get {responses: {\"200\": {description: ok}}}}\n  /b: {get: *get}\n  /c: {get: *get}",
		"merged operations":  "/a: {get: &get {responses: {\"200\": {description: ok}}}}\n  /b: {get: {<<: *get}}\n  /c: {get: {<<: *get}}",
		"responses":          "/a: {get: {responses: &r {\"200\": {description: ok}}}}\n  /b: {get: {responses: *r}}\n  /c: {get: {responses: *r}}",
		"responses, in part": "/a: {get: {responses: &r {\"200\": {description: ok}}}}\n  /b: {get: {responses: {<<: *r}}}\n  /c: {get: {responses: *r}}",
	} {
		doc := parse(t, "api.yaml", "openapi: 3.1.0\ninfo: {title: x, version: 1.0.0}\npaths:\n  "+paths+"\n")
		public := route("GET", "/c")
		public.Public = true
		if _, err := doc.Merge(guard(), []Route{route("GET", "/a"), public}, never); err != nil {
			t.Fatal(err)
		}
		written, err := doc.Bytes()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		all := decode(t, parse(t, "api.yaml", string(written)))["paths"].(map[string]any)
		for path, guarded := range map[string]bool{"/a": true, "/b": false, "/c": false} {
			op := all[path].(map[string]any)["get"].(map[string]any)
			_, refuses := op["responses"].(map[string]any)["401"]
			if refuses != guarded || (op["security"] != nil) != guarded {
				t.Errorf("%s: %s has %v", name, path, op)
			}
		}
	}
}

func TestSecurityOfARoute(t *testing.T) {
	for name, tt := range map[string]struct {
		file  string
		route Route
		want  string
	}{
		"guarded":                      {`{}`, route("GET", "/a"), `[{"bearer":[]},{"session":[]}]`},
		"for anybody, by the policy":   {`{}`, Route{RouteInfo: core.RouteInfo{Method: "GET", Pattern: "/a"}, Anonymous: true}, `[{},{"bearer":[]},{"session":[]}]`},
		"public":                       {`{}`, Route{RouteInfo: core.RouteInfo{Method: "GET", Pattern: "/a"}, Public: true}, `null`},
		"public, where all are not":    {`{"security":[{"x":[]}],"components":{"securitySchemes":{"x":{"type":"http","scheme":"basic"}}}}`, Route{RouteInfo: core.RouteInfo{Method: "GET", Pattern: "/a"}, Public: true}, `[]`},
		"guarded, as all are":          {`{"security":[{"x":[]}],"components":{"securitySchemes":{"x":{"type":"http","scheme":"basic"}}}}`, route("GET", "/a"), `null`},
		"written by a former guard":    {`{"paths":{"/a":{"get":{"security":[{"old":[]}],"responses":{}}}},"components":{"securitySchemes":{"old":{"type":"http","scheme":"x","x-sallyport":true}}}}`, route("GET", "/a"), `[{"bearer":[]},{"session":[]}]`},
		"open, by the file's own word": {`{"paths":{"/a":{"get":{"security":[],"responses":{}}}}}`, route("GET", "/a"), `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, "api.json", `{"openapi":"3.1.0","info":{"title":"a","version":"1"},`+strings.TrimPrefix(strings.Replace(tt.file, "{}", `{"x-a":1}`, 1), "{"))
			if _, err := doc.Merge(guard(), []Route{tt.route}, never); err != nil {
				t.Fatal(err)
			}
			op := decode(t, doc)["paths"].(map[string]any)["/a"].(map[string]any)["get"].(map[string]any)
			if got, _ := json.Marshal(op["security"]); string(got) != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestSchemesAreValid: OpenAPI has bearerFormat for the scheme bearer alone.
func TestSchemesAreValid(t *testing.T) {
	for _, name := range []string{"Bearer", "DPoP", "Basic", "Digest"} {
		doc := parse(t, "api.json", `{"openapi":"3.1.0","info":{"title":"a","version":"1"},"paths":{}}`)
		g := Guard{Schemes: []Scheme{{Name: name, Place: setup.InAuthorization, JWT: true}}}
		if _, err := doc.Merge(g, []Route{route("GET", "/a")}, never); err != nil {
			t.Fatal(err)
		}
		if err := doc.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInvalidFiles(t *testing.T) {
	for content, want := range map[string]string{
		"a: [":                         "api: ",
		"[]":                           "not an object",
		`{"openapi":"3.1.0"} {}`:       "more behind",
		`{"swagger":"2.0"}`:            "must be OpenAPI 3",
		"openapi: 3.1.0\npaths: [1]\n": "paths is not an object",
	} {
		doc, err := Parse(t.Context(), "api", []byte(content))
		if err == nil {
			_, err = doc.Merge(guard(), nil, never)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", content, err, want)
		}
	}
	certs := Guard{Schemes: []Scheme{{Name: "ClientCertificate", Place: setup.InConnection}}}
	if _, err := parse(t, "api.json", inJSON).Merge(certs, nil, never); err == nil || !strings.Contains(err.Error(), "3.1.0") {
		t.Errorf("client certificates in OpenAPI 3.0: %v", err)
	}
}

// TestYAMLThatCannotBeWritten: a file is refused if its output would not be read as the
// same.
func TestYAMLThatCannotBeWritten(t *testing.T) {
	doc := parse(t, "api.yaml", "openapi: 3.1.0\ninfo: {title: x, version: 1.0.0}\npaths: # none yet\n")
	if _, err := doc.Merge(guard(), nil, never); err != nil {
		t.Fatal(err)
	}
	if content, err := doc.Bytes(); err == nil || !strings.Contains(err.Error(), "take out comments") {
		t.Errorf("%s is written, %v", content, err)
	}
}

// TestEndlessAliases: aliases and merge keys are resolved eventually, or refused.
func TestEndlessAliases(t *testing.T) {
	const head = "openapi: 3.1.0\ninfo: {title: x, version: 1.0.0}\n"
	lists, merges := "x0: &x0 [a, a, a, a]\n", "x0: &x0 {get: {}}\n"
	for i := range 40 {
		lists += fmt.Sprintf("x%d: &x%[1]d [*x%[2]d, *x%[2]d]\n", i+1, i)
		merges += fmt.Sprintf("x%d: &x%[1]d {<<: [*x%[2]d, *x%[2]d], /%[1]d: *x0}\n", i+1, i)
	}
	for content, want := range map[string]string{
		"paths: &p {/a: *p}\n":                              "line 3: an alias leads to the value that it is a part of",
		"paths: &p {<<: *p, /a: {get: {}}}\n":               "line 3: an alias leads",
		"paths: &p {<<: [*p], /a: {get: {}}}\n":             "line 3: an alias leads",
		"paths: {/a: &a {get: {responses: {x: [*a]}}}}\n":   "line 3: an alias leads",
		"paths: {}\nx-any: &x {a: *x}\n":                    "line 4: an alias leads",
		"paths: {}\n" + lists:                               "more than 1048576 values",
		merges + "paths: *x40\n":                            "more than 1048576 values",
		"paths: {/a: {get: {}, post: {}, get: {}}}\n":       `the key "get" stands twice`,
		"paths: {}\npaths: {/a: {get: {}}}\n":               `the key "paths" stands twice`,
		"paths: {/a: &a {get: {}}, /b: *a, /c: {<<: *a}}\n": "",
	} {
		_, err := Parse(t.Context(), "api.yaml", []byte(head+content))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", content, err, want)
		}
	}
	if _, err := Parse(t.Context(), "api.json", []byte(`{"openapi": "3.1.0", "paths": {}, "paths": {"/a": {}}}`)); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("a key twice in JSON: %v", err)
	}
}

func parse(t *testing.T, name, content string) *Document {
	t.Helper()
	doc, err := Parse(t.Context(), name, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func decode(t *testing.T, d *Document) (v map[string]any) {
	t.Helper()
	text, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// holds reports the parts of was that are missing from is.
func holds(t *testing.T, at string, was, is any) {
	t.Helper()
	if before, ok := was.(map[string]any); ok {
		after, _ := is.(map[string]any)
		for key := range before {
			holds(t, at+"/"+key, before[key], after[key])
		}
	} else if !reflect.DeepEqual(was, is) {
		t.Errorf("%s: %v became %v", at, was, is)
	}
}
