package problem

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// I02, I03, I04: title is the status phrase, since the type is about:blank
// (RFC 9457 §4.2.1), and status the number in the status line.
func TestRender(t *testing.T) {
	got := string(Render(http.StatusForbidden, "forbidden", "Not for you."))
	want := `{"title":"Forbidden","status":403,"detail":"Not for you.","error":"forbidden"}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if got := string(Render(500, "internal_error", "")); strings.Contains(got, "detail") {
		t.Errorf("an empty detail is not left out: %s", got)
	}
}

// I07: valid JSON for hostile input.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"", `"`, "\r\n\x00", "\xff\xfe", "</script><script>alert(1)</script>", "\u2028\u2029", `\`} {
		f.Add(401, s, s)
	}
	f.Fuzz(func(t *testing.T, status int, code, detail string) {
		body := Render(status, code, detail)
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

func TestBodiesAreRenderedOnce(t *testing.T) {
	rendered := 0
	b := NewBodies(func(status int, code, message string) []byte {
		rendered++
		return Render(status, code, message)
	})
	for range 3 {
		for _, a := range []answer{{401, "a", "x"}, {403, "a", "x"}, {401, "b", "x"}, {401, "a", "y"}} {
			if got, want := string(b.Body(a.status, a.code, a.message)), string(Render(a.status, a.code, a.message)); got != want {
				t.Errorf("got  %swant %s", got, want)
			}
		}
	}
	if rendered != 4 {
		t.Errorf("rendered %d times, want 4", rendered)
	}
	if n := testing.AllocsPerRun(100, func() { b.Body(401, "a", "x") }); n != 0 {
		t.Errorf("a kept body costs %v allocations", n)
	}
	body := b.Body(401, "a", "x")
	_ = append(body, "more"...)
	if got := b.Body(401, "a", "x"); len(got) != cap(got) {
		t.Errorf("appending to a body writes into it: len %d, cap %d", len(got), cap(got))
	}
}

func TestBodiesKeepABoundedNumber(t *testing.T) {
	b := NewBodies(Render)
	for i := range 10 * maxKept {
		status := 400 + i
		if got, want := string(b.Body(status, "c", "m")), string(Render(status, "c", "m")); got != want {
			t.Fatalf("got  %swant %s", got, want)
		}
	}
	if n := len(*b.kept.Load()); n != maxKept {
		t.Errorf("keeps %d bodies, want %d", n, maxKept)
	}
	long := NewBodies(Render)
	long.Body(401, "c", strings.Repeat("x", maxKeptText))
	if n := len(*long.kept.Load()); n != 0 {
		t.Error("a long text is kept")
	}
}

func TestBodiesAreSafeForConcurrentUse(t *testing.T) {
	b := NewBodies(Render)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2 * maxKept {
				if got := b.Body(i, "c", "m"); string(got) != string(Render(i, "c", "m")) {
					t.Errorf("%d: %s", i, got)
				}
			}
		})
	}
	wg.Wait()
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

// A body that could not be made is tried again.
func TestKeepKeepsNoFailure(t *testing.T) {
	calls := 0
	k := Keep(func(answer) []byte {
		if calls++; calls == 1 {
			return nil
		}
		return []byte("b")
	})
	for i, want := range []string{"", "b", "b"} {
		if got := string(k.Body(answer{})); got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
	if calls != 2 {
		t.Errorf("rendered %d times", calls)
	}
}
