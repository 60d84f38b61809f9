package adapter_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

func TestPrivateCacheControl(t *testing.T) {
	for _, tt := range []struct {
		have, want []string
	}{
		{nil, []string{"private"}},
		{[]string{""}, []string{"private"}},
		{[]string{" , ,"}, []string{"private"}},
		{[]string{"max-age=600"}, []string{"private, max-age=600"}},
		{[]string{"public"}, []string{"private"}},
		{[]string{"Public, S-MaxAge=600,max-age=5"}, []string{"private, max-age=5"}},
		{[]string{"public , s-maxage = 600"}, []string{"private"}},
		{[]string{"public", "max-age=5"}, []string{"private, max-age=5"}},
		{[]string{"private"}, []string{"private"}},
		{[]string{"max-age=5, Private"}, []string{"max-age=5, Private"}},
		{[]string{"private, public"}, []string{"private"}},
		{[]string{`private="Set-Cookie"`}, []string{"private"}},
		{[]string{`max-age=5, private="X-A, public, X-B"`}, []string{"private, max-age=5"}},
		{[]string{`no-cache="private, no-store", max-age=5`}, []string{`private, no-cache="private, no-store", max-age=5`}},
		{[]string{`ext="a\"b, private"`}, []string{`private, ext="a\"b, private"`}},
		{[]string{"no-store"}, []string{"no-store"}},
		{[]string{"NO-STORE", "max-age=0"}, []string{"NO-STORE", "max-age=0"}},
		{[]string{"no-store, public, s-maxage=60"}, []string{"no-store"}},
		{[]string{"must-understand, no-store"}, []string{"private, must-understand, no-store"}},
		{[]string{"must-revalidate, proxy-revalidate"}, []string{"private, must-revalidate, proxy-revalidate"}},
		{[]string{`ext="a, private`}, []string{"no-store"}},
		{[]string{`ext="private\`}, []string{"no-store"}},
		{[]string{"privately, no-stores, publication"}, []string{"private, privately, no-stores, publication"}},
	} {
		before := slices.Clone(tt.have)
		if got := adapter.PrivateCacheControl(tt.have); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", before, got, tt.want)
		} else if again := adapter.PrivateCacheControl(got); !slices.Equal(again, got) {
			t.Errorf("%q: %q, and again %q", before, got, again)
		}
		if !slices.Equal(tt.have, before) {
			t.Errorf("%q was changed to %q", before, tt.have)
		}
	}
}

// anybody is a verifier that takes every password.
type anybody struct{}

func (anybody) VerifyPassword(_ context.Context, user, _ string) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
}

// passing is the verdict for a request with a principal.
func passing(t *testing.T) core.Verdict {
	t.Helper()
	scheme, err := basic.New("test", anybody{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler))))
	if err != nil {
		t.Fatal(err)
	}
	gate, err := g.Authenticate()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth("alice", "secret")
	v := gate.Check(t.Context(), httpauth.Request(r))
	if v.Denial != nil || v.SharedCaching {
		t.Fatalf("%+v", v)
	}
	return v
}

// TestKeepFields: what a handler did to the fields that a gate gave out, also in
// place, is mended before the response is sent.
func TestKeepFields(t *testing.T) {
	v := passing(t)
	for name, tt := range map[string]struct {
		handler       func(http.Header)
		shared        bool
		cache, varies string
	}{
		"nothing":          {func(http.Header) {}, false, "private", "Authorization"},
		"removed":          {func(h http.Header) { clear(h) }, false, "private", "Authorization"},
		"replaced":         {func(h http.Header) { h.Set("Cache-Control", "public"); h.Set("Vary", "Origin") }, false, "private", "Origin,Authorization"},
		"any":              {func(h http.Header) { h.Set("Vary", "*") }, false, "private", "*"},
		"removed, shared":  {func(h http.Header) { clear(h) }, true, "private", "Authorization"},
		"replaced, shared": {func(h http.Header) { h.Set("Cache-Control", "public"); h.Set("Vary", "Origin") }, true, "public", "Origin,Authorization"},
		"written in place": {func(h http.Header) { h["Cache-Control"][0] = "public" }, false, "private", "Authorization"},
		"for some caches": {func(h http.Header) {
			h.Set("CDN-Cache-Control", "max-age=60")
			h.Set("Surrogate-Control", "max-age=60")
			h["X-SOME-cache-control"] = []string{"max-age=60"}
		}, false, "private", "Authorization"},
		"more, of its own":  {func(h http.Header) { h.Add("Cache-Control", "max-age=5") }, false, "private|max-age=5", "Authorization"},
		"for nobody at all": {func(h http.Header) { h.Set("Cache-Control", "no-store") }, false, "no-store", "Authorization"},
	} {
		h := http.Header{}
		adapter.AddFields(h, v.Fields)
		given := h["Cache-Control"]
		tt.handler(h)
		adapter.KeepFields(h, v.Fields, tt.shared)
		if got := strings.Join(h.Values("Cache-Control"), "|"); got != tt.cache {
			t.Errorf("%s: Cache-Control %q, want %q", name, got, tt.cache)
		}
		if got := strings.Join(h.Values("Vary"), ","); got != tt.varies {
			t.Errorf("%s: Vary %q, want %q", name, got, tt.varies)
		}
		for field := range h {
			if adapter.TargetsCaches(field) {
				t.Errorf("%s: %s %q", name, field, h[field])
			}
		}
		given[0] = "private" // what is written in place reaches all answers
	}
	twice := slices.Concat(v.Fields, v.Fields)
	h := http.Header{"X-Accel-Expires": {"60"}, "Content-Type": {"text/plain"}}
	if adapter.KeepFields(h, twice, false); len(h) != 3 || h.Get("X-Accel-Expires") != "" {
		t.Errorf("behind two gates: %v", h)
	}
	h = http.Header{"Cache-Control": {"max-age=60"}}
	if adapter.AddFields(h, v.Fields); h.Get("Cache-Control") != "max-age=60" {
		t.Errorf("what stood in front set %q", h.Get("Cache-Control"))
	}
}

// TestKeepingCostsNothing where a handler says nothing of caches.
func TestKeepingCostsNothing(t *testing.T) {
	v := passing(t)
	h := http.Header{}
	adapter.AddFields(h, v.Fields)
	if n := testing.AllocsPerRun(100, func() { adapter.KeepFields(h, v.Fields, false) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
