package core_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// The fields of a cached answer are the same, however an adapter writes them.
func TestFieldsOfKeptAnswers(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	gate := mounted(t)(g.Authenticate())
	for range 2 {
		fields := gate.Check(t.Context(), get("/")).Response.Fields
		h := http.Header{}
		adapter.AddFields(h, fields)
		if len(fields) != 6 || len(h) != 6 {
			t.Fatalf("%d fields: %v", len(fields), h)
		}
		for _, f := range fields {
			name, value := adapter.Bytes(&f)
			if string(name) != http.CanonicalHeaderKey(f.Name) || string(value) != f.Value {
				t.Errorf("%s: %s is %s: %s in bytes", f.Name, f.Value, name, value)
			}
			if got := h.Values(f.Name); !slices.Equal(got, []string{f.Value}) {
				t.Errorf("%s: %s is %q in a header", f.Name, f.Value, got)
			}
			// What an application adds is in no other answer.
			h.Add(f.Name, "added")
			h.Set(f.Name, "changed")
		}
	}
}

// Fields that others set before a cached answer is written are kept where possible.
func TestFieldsOfKeptAnswersAmongOthers(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	gate := mounted(t)(g.Authenticate())
	for _, tt := range []struct {
		name       string
		have, want []string
	}{
		{"Vary", nil, []string{"Authorization"}},
		{"Vary", []string{"Authorization"}, []string{"Authorization"}},
		{"Vary", []string{"Origin, authorization"}, []string{"Origin, authorization"}},
		{"Vary", []string{"Origin"}, []string{"Origin", "Authorization"}},
		{"Www-Authenticate", []string{"Own"}, []string{"Own", `Basic realm="test"`}},
		{"Cache-Control", []string{"public"}, []string{"no-store"}},
		{"X-Other", []string{"1"}, []string{"1"}},
	} {
		h := http.Header{}
		if tt.have != nil {
			h[tt.name] = tt.have
		}
		adapter.AddFields(h, gate.Check(t.Context(), get("/")).Response.Fields)
		if got := h[tt.name]; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q became %q, want %q", tt.name, tt.have, got, tt.want)
		}
	}
}

// Values that an application overwrites in place are in no later answer.
func TestWritingIntoTheHeaderOfAKeptAnswer(t *testing.T) {
	s, same := newScheme(t, "Bearer"), asking(t, "")
	s.challenges = func(error) []challenge.Challenge { return same }
	g, _ := newGuard(t, []core.Authenticator{s})
	gate := mounted(t)(g.Authenticate())
	for range 3 {
		fields := gate.Check(t.Context(), get("/")).Response.Fields
		h := http.Header{}
		adapter.AddFields(h, fields)
		for name, want := range map[string]string{"Www-Authenticate": `Bearer realm="test"`, "Vary": "Authorization"} {
			if got := h[name]; !slices.Equal(got, []string{want}) {
				t.Fatalf("%s is %q, want %q", name, got, want)
			}
			h[name][0] = "written"
		}
	}
}

// A copy of a cached answer's fields may be changed, as a wrapper of an endpoint does.
func TestChangedCopiesOfAKeptAnswersFields(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	fields := slices.Clone(mounted(t)(g.Authenticate()).Check(t.Context(), get("/")).Response.Fields)
	for i := range fields {
		switch fields[i].Name {
		case "Cache-Control":
			fields[i].Value = "private"
		case "WWW-Authenticate":
			fields[i].Name = "X-Challenge"
		default:
			continue
		}
		if name, value := adapter.Bytes(&fields[i]); name != nil || value != nil {
			t.Errorf("%s: %s in bytes, want %s: %s", name, value, fields[i].Name, fields[i].Value)
		}
	}
	h := http.Header{}
	adapter.AddFields(h, fields)
	if h.Get("Cache-Control") != "private" || h.Get("X-Challenge") != `Basic realm="test"` || h.Get("WWW-Authenticate") != "" {
		t.Errorf("%v", h)
	}
}

// A field that an application sets shares no memory with other answers.
func TestFieldsOfAnApplication(t *testing.T) {
	f := core.Field{Name: "X-Own", Value: "1"}
	if name, value := adapter.Bytes(&f); name != nil || value != nil {
		t.Errorf("%q: %q", name, value)
	}
}
