package adapter_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// A copy of a request stays as it was, whatever handlers do with the request, and keeps
// nothing of its body.
func TestDetachedRequestsAreIndependent(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/a", strings.NewReader("a=1"))
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]core.Request{
		"View": adapter.View{Request: r}.Detach(), "Detach": adapter.Detach(r, adapter.Matches(adapter.View{Request: r}, nil, false)),
	} {
		if body, err := io.ReadAll(d.(core.BodyReader).Body()); len(body) > 0 || err != nil {
			t.Errorf("%s: body %q, %v", name, body, err)
		}
		before := r.Header.Clone()
		r.Header.Del("Authorization")
		if value, n := d.Header("Authorization"); value != "Bearer token" || n != 1 {
			t.Errorf("%s: %d lines of Authorization, %q", name, n, value)
		}
		r.Header = before
	}
}

// A form that a middleware has parsed is still the body.
func TestBodyOfAParsedForm(t *testing.T) {
	for _, parse := range []bool{false, true} {
		r := httptest.NewRequest(http.MethodPost, "/?a=0", strings.NewReader("a=1&b=%26"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if parse {
			if err := r.ParseForm(); err != nil {
				t.Fatal(err)
			}
		}
		if body, err := io.ReadAll(adapter.View{Request: r}.Body()); string(body) != "a=1&b=%26" || err != nil {
			t.Errorf("parsed %v: %q, %v", parse, body, err)
		}
	}
}

// A concealed refusal loses what the gates have added, and nothing else.
func TestWithout(t *testing.T) {
	for _, tt := range []struct {
		field       core.Field
		lines, want []string
	}{
		{core.Field{Name: "Vary", Value: "Authorization, Cookie"}, []string{"Authorization, Cookie"}, nil},
		{core.Field{Name: "Vary", Value: "Authorization, Cookie"}, []string{"Cookie", "Accept", "authorization"}, []string{"Accept"}},
		{core.Field{Name: "vary", Value: "Authorization"}, []string{"Accept, Authorization"}, []string{"Accept, Authorization"}},
		{core.Field{Name: "Set-Cookie", Value: "a=1"}, []string{"b=2", "a=1"}, []string{"b=2"}},
		{core.Field{Name: "Set-Cookie", Value: "a=1, b=2"}, []string{"a=1"}, []string{"a=1"}},
	} {
		if got := adapter.Without(&tt.field, tt.lines); !slices.Equal(got, tt.want) {
			t.Errorf("%v without %v: %q, want %q", tt.lines, tt.field, got, tt.want)
		}
	}
}

// What a star after part of a segment has matched is the end of the path, or it is not
// known what handlers see.
func TestCutAtStar(t *testing.T) {
	for _, tt := range []struct {
		pattern, path, rest, want string // want is the second reading; "" for none, "-" for an error
	}{
		{"/files*", "/filesx", "x", "/files/x"},
		{"/files*", "/files/x", "/x", ""},
		{"/files*", "/files", "", ""},
		{"/files/*", "/files/x", "x", ""},
		{"/files*", "/files.json", "x", "-"},
	} {
		rt, err := adapter.CutAtStar(core.Route{Pattern: tt.pattern, Path: tt.path}, tt.pattern, tt.path, tt.rest)
		got := ""
		switch {
		case errors.Is(err, core.ErrAmbiguousPath):
			got = "-"
		case len(rt.Alternatives) == 1:
			got = rt.Alternatives[0].Path
		}
		if got != tt.want || err == nil && rt.Path != tt.path {
			t.Errorf("%+v: %+v, %v", tt, rt, err)
		}
	}
}
