package problem

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// I02, I03, I04: title is the status phrase, since the type is about:blank
// (RFC 9457 §4.2.1), and status the number in the status line.
func TestRender(t *testing.T) {
	got := string(Document{Status: http.StatusForbidden, Error: "forbidden", Detail: "Not for you."}.JSON())
	want := `{"title":"Forbidden","status":403,"detail":"Not for you.","error":"forbidden"}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if got := string(Document{Status: 500, Error: "internal_error"}.JSON()); strings.Contains(got, "detail") {
		t.Errorf("an empty detail is not left out: %s", got)
	}
}

// I07: valid JSON for hostile input.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"", `"`, "\r\n\x00", "\xff\xfe", "</script><script>alert(1)</script>", "\u2028\u2029", `\`} {
		f.Add(401, s, s)
	}
	f.Fuzz(func(t *testing.T, status int, code, detail string) {
		body := Document{Status: status, Error: code, Detail: detail}.JSON()
		var doc struct {
			Title, Detail, Error, Type string
			Status                     int
		}
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if doc.Status != status || doc.Title != http.StatusText(status) || doc.Type != "" {
			t.Errorf("%d gave %s", status, body)
		}
		if utf8.ValidString(code) && doc.Error != code || utf8.ValidString(detail) && doc.Detail != detail {
			t.Errorf("%q, %q became %q, %q", code, detail, doc.Error, doc.Detail)
		}
		if !utf8.Valid(body) || bytes.ContainsAny(body, "<>") {
			t.Errorf("body %q", body)
		}
	})
}

// I05, I06: members that a request does not need are left out.
func TestDocument(t *testing.T) {
	for _, tt := range []struct {
		doc  Document
		want string
	}{
		{Document{Status: 403, Error: "e"}, `{"title":"Forbidden","status":403,"error":"e"}`},
		{Document{Status: 401, Error: "e", Detail: "d", Instance: "i", Needs: Needs{"a b", "gold", 60}},
			`{"title":"Unauthorized","status":401,"detail":"d","instance":"i","error":"e","scope":"a b","acr_values":"gold","max_age":60}`},
	} {
		if got := string(tt.doc.JSON()); got != tt.want+"\n" {
			t.Errorf("got  %swant %s", got, tt.want)
		}
	}
}
