package fasthttpauth_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
)

// TestKeepFieldsIsThatOfNetHTTP: whatever handlers have made of the fields about
// caches, the response says the same in the end as one of net/http.
func TestKeepFieldsIsThatOfNetHTTP(t *testing.T) {
	gate, err := authtest.BudgetGuard(t).Authorize()
	if err != nil {
		t.Fatal(err)
	}
	ctx := newCtx("/things/7", "Authorization", "Bearer alice")
	v := gate.Check(t.Context(), newView(ctx))
	if v.Response != nil || len(v.Fields) < 2 {
		t.Fatalf("%+v", v)
	}
	given := map[string]string{}
	for _, f := range v.Fields {
		given[f.Name] = f.Value
	}
	states := 0
	for _, vary := range [][]string{nil, {given["Vary"]}, {given["Vary"], given["Vary"]}, {"Origin"}, {given["Vary"], "Origin"}, {"Origin", given["Vary"]}, {"*"}} {
		for _, control := range [][]string{nil, {given["Cache-Control"]}, {given["Cache-Control"], given["Cache-Control"]}, {"public, max-age=60"}, {"no-store"}, {given["Cache-Control"], "s-maxage=9"}} {
			for _, other := range append([]string{"", "X-Other"}, adapter.TargetedCacheFields()...) {
				for _, shared := range []bool{false, true} {
					h := http.Header{}
					h["Vary"], h["Cache-Control"] = slices.Clone(vary), slices.Clone(control)
					if other != "" {
						h[other] = []string{"max-age=60"}
					}
					states++
					compareKept(t, h, v.Fields, shared)
				}
			}
		}
	}
	if want := 7 * 6 * (2 + len(adapter.TargetedCacheFields())) * 2; states != want {
		t.Errorf("%d states, want %d", states, want)
	}
}

func compareKept(t *testing.T, h http.Header, fields []core.Field, shared bool) {
	t.Helper()
	ctx := newCtx("/things/7")
	before := fmt.Sprint(h)
	for name, lines := range h {
		for _, line := range lines {
			ctx.Response.Header.Add(name, line)
		}
	}
	fasthttpauth.DecideCaching(ctx, shared)
	fasthttpauth.KeepFields(ctx, fields)
	adapter.KeepFields(h, fields, shared)
	for _, name := range append([]string{"Vary", "Cache-Control", "X-Other"}, adapter.TargetedCacheFields()...) {
		var got []string
		for _, line := range ctx.Response.Header.PeekAll(name) {
			got = append(got, string(line))
		}
		slices.Sort(got) // deleting moves lines of fasthttp's
		slices.Sort(h[name])
		if !slices.Equal(got, h[name]) {
			t.Errorf("%s, shared %v: %s is %q, want %q", before, shared, name, got, h[name])
		}
	}
}
