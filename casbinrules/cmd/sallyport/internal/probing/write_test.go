package probing

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/junit"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

// result has two findings, the second of which is known, and text that is markup in each
// of the formats.
func result() Result {
	ask := func(as, target string) probe.Request {
		return probe.Request{Purpose: probe.Plain, Method: "GET", Target: target, As: as, Route: 0}
	}
	erin := probe.Identity{Name: "erin", Header: []core.Field{{Name: "Authorization", Value: "Bearer secret"}}}
	wrong := ask("erin", "/a")
	wrong.Header = erin.Header
	r := &probe.Report{
		Exchanges: []probe.Exchange{
			{Request: ask(probe.Anonymous, "/a"), Answer: probe.Answer{Status: 403, Header: http.Header{}}},
			{Request: wrong, Answer: probe.Answer{Status: 200}},
			{Request: ask(probe.Anonymous, "/b"), Answer: probe.Answer{Status: 401}},
		},
		Findings: []probe.Finding{
			{Code: probe.FaultAnonymousForbidden, Method: "GET", Path: "/a", As: probe.Anonymous, Got: "403", Want: "401", Detail: `<script>alert("x")</script>]]>` + "\x01", Request: ask(probe.Anonymous, "/a")},
			{Code: probe.FaultAllowedThoughDenied, Method: "GET", Path: "/a", As: "erin", Got: "200", Want: "403", Detail: "no", Request: wrong},
		},
		Notes: []string{"a note\nof two lines"},
	}
	return NewResult("http://x", "", r, probe.Settings{Identities: []probe.Identity{erin}}, Baseline{{probe.FaultAllowedThoughDenied, "GET", "/a", "erin"}})
}

func written(t *testing.T, write func(*strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "secret") {
		t.Errorf("credentials in %s", b.String())
	}
	return b.String()
}

func TestText(t *testing.T) {
	got := written(t, func(b *strings.Builder) error {
		return result().WriteText(b, func(_, word string) string { return word })
	})
	for _, want := range []string{
		"route   anonymous  erin\nGET /a  403        200\nGET /b  401\n", "anonymous_forbidden  GET /a as anonymous\n    got 403, want 401\n    <script>alert(\"x\")</script>]]>�\n",
		"allowed_though_denied (known)  GET /a as erin\n", `    curl -i --path-as-is -H "$ERIN" 'http://x/a'`, "note: a note�of two lines\n", "2 findings in 3 requests to http://x, 1 of them in the baseline\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestSARIF(t *testing.T) {
	file := filepath.Join(t.TempDir(), "routes.json")
	if err := os.WriteFile(file, []byte("[\n{\"method\": \"GET\", \"pattern\": \"/a\"}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, places := range []Places{{}, NewPlaces(file)} {
		got := written(t, func(b *strings.Builder) error { return result().WriteSARIF(b, places, []probe.Route{{Pattern: "/a"}}) })
		doc, err := sarif.FromString(got)
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(); err != nil {
			t.Errorf("%v in\n%s", err, got)
		}
		results := doc.Runs[0].Results
		if len(results) != 2 || len(results[0].Suppressions) != 0 || len(results[1].Suppressions) != 1 {
			t.Errorf("got %s", got)
		}
		region := results[0].Locations[0].PhysicalLocation.Region
		if places.File != "" && *region.StartLine != 2 {
			t.Errorf("line %d", *region.StartLine)
		}
	}
}

func TestJUnit(t *testing.T) {
	got := written(t, func(b *strings.Builder) error { return result().WriteJUnit(b) })
	var doc struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Name    string         `xml:"name,attr"`
				Failure *junit.Failure `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(got), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, got)
	}
	if s := doc.Suites[0]; s.Tests != 3 || s.Failures != 1 || s.Skipped != 1 || len(s.Cases) != 3 || s.Cases[0].Failure.Message != "got 403, want 401" || s.Cases[2].Name != "GET /b as anonymous: 401" {
		t.Errorf("got %s", got)
	}
}

func TestHTML(t *testing.T) {
	got := written(t, func(b *strings.Builder) error { return result().WriteHTML(b) })
	for _, want := range []string{`<a href="#f1">403</a>`, `<article id="f1" data-code="anonymous_forbidden" data-route="GET /a" data-as="anonymous">`, `data-as="erin" class="known">`, `<a href="#anonymous_forbidden">`, "&lt;script&gt;", "1 new", `<td class="asked">401</td>`, "default-src &#39;none&#39;"} {
		if !strings.Contains(got, want) && !strings.Contains(got, strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Count(got, "<script") != 1 || strings.Contains(got, "://x/a'<") || strings.Contains(got, `src="http`) {
		t.Errorf("a script or an external address in\n%s", got)
	}
}

func TestJSON(t *testing.T) {
	got := written(t, func(b *strings.Builder) error { return json.NewEncoder(b).Encode(result()) })
	var doc struct {
		Findings []map[string]any
	}
	if err := json.Unmarshal([]byte(got), &doc); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"code", "method", "path", "as", "got", "want", "detail", "curl"} {
		if doc.Findings[0][name] == nil {
			t.Errorf("no %s in %s", name, got)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "api.yaml")
	text := `openapi: 3.0.3
info: {title: x, version: "1"}
servers: [{url: /v1}]
paths:
  /reports/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, example: 7}}]
    get: {responses: {"200": {description: ok}}}
    patch: {responses: {"200": {description: ok}}}
  /kinds/{kind}/{other}:
    get:
      parameters:
        - {name: kind, in: path, required: true, schema: {type: string, enum: [a b, c]}}
        - $ref: parameters.yaml#/other
      responses: {"200": {description: ok}}
`
	for name, text := range map[string]string{"api.yaml": text, "parameters.yaml": "other: {name: other, in: path, required: true, schema: {type: string}}\n", "empty.yaml": "openapi: 3.0.3\n",
		"far.yaml": strings.ReplaceAll(text, "parameters.yaml", "http://127.0.0.1:1/p.yaml"),
		"up.yaml":  strings.ReplaceAll(text, "parameters.yaml", "../parameters.yaml"), "root.yaml": strings.ReplaceAll(text, "parameters.yaml", "/parameters.yaml")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	routes, err := OpenAPI(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range routes {
		got = append(got, r.Method+" "+r.Pattern+" "+r.Path)
	}
	want := []string{"GET /v1/reports/{id} /v1/reports/7", "PATCH /v1/reports/{id} /v1/reports/7", "GET /v1/kinds/{kind}/{other} /v1/kinds/a%20b/1"}
	for _, w := range want {
		if !strings.Contains(strings.Join(got, "\n"), w) {
			t.Errorf("no %q in %q", w, got)
		}
	}
	for name, want := range map[string]string{"empty.yaml": "there are no paths", "none.yaml": "no such file", "far.yaml": "on a network",
		"up.yaml": "outside the folder", "root.yaml": "outside the folder"} {
		if _, err := OpenAPI(t.Context(), filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
