package authclient_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core/authclient"
)

// RFC 9457 §3.1: a member of the wrong type is ignored.
func FuzzParseProblem(f *testing.F) {
	for _, body := range []string{
		`{"type":"about:blank","title":"Forbidden","status":403,"detail":"d","instance":"/i","error":"forbidden"}`,
		`{"type":7,"title":null,"detail":{"a":[1]},"error":["x"]}`, `{"error":"a","error":"b"}`, `{"Error":"a"}`, `{"message":"m"}`,
		`null`, `[]`, `""`, `{`, "", "{\"error\":\"\xff\"}", `{"detail":"\ud800"}`, `{"error":"x"} {}`,
	} {
		f.Add("application/problem+json", []byte(body))
	}
	f.Add("text/html", []byte(`{"error":"x"}`))
	f.Add("application/json;;", []byte(`{"error":"x"}`))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		p := authclient.ParseProblem(contentType, body)
		for _, s := range []string{p.Type, p.Title, p.Detail, p.Instance, p.Code} {
			if !utf8.ValidString(s) {
				t.Errorf("%q is not UTF-8", s)
			}
		}
		if p.Type == "" {
			t.Error("no type")
		}
		if p.Members != nil && !json.Valid(body) {
			t.Errorf("members of %q", body)
		}
		if p.Members == nil && (p.Title != "" || p.Detail != "" || p.Instance != "" || p.Code != "" || p.Type != "about:blank") {
			t.Errorf("texts of no document: %+v", p)
		}
	})
}

func TestParseProblemKeepsExtensions(t *testing.T) {
	p := authclient.ParseProblem("application/problem+json",
		[]byte(`{"type":"https://example.com/plan","title":"Plan","detail":"Upgrade.","instance":"/7","error":"plan","plans":["pro"]}`))
	var plans []string
	if err := json.Unmarshal(p.Members["plans"], &plans); err != nil || len(plans) != 1 || plans[0] != "pro" {
		t.Errorf("%q, %v", plans, err)
	}
	if p.Type != "https://example.com/plan" || p.Instance != "/7" || p.Code != "plan" || p.Detail != "Upgrade." || p.Title != "Plan" {
		t.Errorf("%+v", p)
	}
}
