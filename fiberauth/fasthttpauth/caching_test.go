package fasthttpauth_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
)

// targetedFields address some caches alone.
var targetedFields = []string{"Cdn-Cache-Control", "Edge-Control", "Surrogate-Control", "X-Accel-Expires", "X-Some-Cache-Control"}

// TestKeepFieldsIsThatOfNetHTTP: whatever cache fields handlers set, the response ends up
// with the same ones as with net/http.
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
			for _, other := range append([]string{"", "X-Other"}, targetedFields...) {
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
	if want := 7 * 6 * (2 + len(targetedFields)) * 2; states != want {
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
	for _, name := range append([]string{"Vary", "Cache-Control", "X-Other"}, targetedFields...) {
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

// passing is the verdict for a request that passes.
func passing(t *testing.T) core.Verdict {
	t.Helper()
	gate, err := authtest.BudgetGuard(t).Authorize()
	if err != nil {
		t.Fatal(err)
	}
	v := gate.Check(t.Context(), newView(newCtx("/things/7", "Authorization", "Bearer alice")))
	if v.Response != nil {
		t.Fatalf("%+v", v)
	}
	return v
}

// lines returns the header lines of a response, or those with a name if it is not empty.
func lines(h *fasthttp.ResponseHeader, name string) (all []string) {
	for key, value := range h.All() {
		switch {
		case name == "":
			all = append(all, string(key)+": "+string(value))
		case strings.EqualFold(string(key), name):
			all = append(all, string(value))
		}
	}
	return all
}

// TestNamesAsTheyAreSpelled: if fasthttp does not normalize names, fields that others have
// set are removed in any letter case.
func TestNamesAsTheyAreSpelled(t *testing.T) {
	g := authtest.MiddlewareGuard(t)
	gate, err := g.Authorize()
	if err != nil {
		t.Fatal(err)
	}
	for what, spell := range map[string]func(string) string{
		"as it is": func(name string) string { return name },
		"lower":    strings.ToLower,
		"upper":    strings.ToUpper,
		"official": strings.NewReplacer("Cdn-", "CDN-", "Etag", "ETag", "Md5", "MD5").Replace,
	} {
		say := func(ctx *fasthttp.RequestCtx) {
			h := &ctx.Response.Header
			h.DisableNormalizing()
			h.Set(spell("Cache-Control"), "public, max-age=60")
			for _, name := range slices.Concat(targetedFields, adapter.RepresentationFields()) {
				h.Set(spell(name), "max-age=60")
			}
		}
		passed, refused, checked := newCtx("/"), newCtx("/"), newCtx("/", "Authorization", "Name bob")
		v := passing(t)
		passed.Response.Header.DisableNormalizing()
		fasthttpauth.AddFields(&passed.Response.Header, v.Fields...)
		say(passed)
		fasthttpauth.KeepFields(passed, v.Fields)

		say(refused)
		view := newView(refused)
		v = gate.Check(t.Context(), view)
		view.Refuse(&v, true)

		say(checked)
		if check(checked, g, authtest.MiddlewareRule()) {
			t.Fatal("bob is let in")
		}
		sealed := &checked.LastTimeoutErrorResponse().Header
		for who, h := range map[string]*fasthttp.ResponseHeader{"passed": &passed.Response.Header, "refused": &refused.Response.Header, "checked": sealed} {
			want := "no-store"
			if who == "passed" {
				want = "private, max-age=60"
			}
			if got := lines(h, "Cache-Control"); !slices.Equal(got, []string{want}) {
				t.Errorf("%s, %s: Cache-Control %q, want %q", what, who, got, want)
			}
			gone := targetedFields
			if who == "checked" {
				gone = append(gone[:len(gone):len(gone)], adapter.RepresentationFields()...)
			}
			for _, name := range gone {
				if got := lines(h, name); got != nil {
					t.Errorf("%s, %s: %s %q", what, who, name, got)
				}
			}
		}
	}
}

// TestUndo: the fields that gates added are removed, and the others keep their order.
func TestUndo(t *testing.T) {
	fields := append(passing(t).Fields, core.Field{Name: "Set-Cookie", Value: "session=x; Path=/"}, core.Field{Name: "DPoP-Nonce", Value: "n"})
	front := [][2]string{{"Vary", "Origin"}, {"X-App", "yes"}, {"Set-Cookie", "a=1; Path=/"}, {"vary", "Accept"}, {"Set-Cookie", "b=2"}, {"X-Last", "yes"}}
	for _, raw := range []bool{false, true} {
		for turn := range front {
			for n := range len(front) + 1 {
				var h fasthttp.ResponseHeader
				if raw {
					h.DisableNormalizing()
				}
				for _, line := range append(front[turn:len(front):len(front)], front[:turn]...)[:n] {
					h.Add(line[0], line[1])
				}
				before := lines(&h, "")
				fasthttpauth.AddFields(&h, fields...)
				if added := lines(&h, ""); len(added) < len(before)+3 {
					t.Fatalf("%q became %q", before, added)
				}
				fasthttpauth.Undo(&h, fields)
				if after := lines(&h, ""); !slices.Equal(after, before) {
					t.Errorf("raw %v: %q became %q", raw, before, after)
				}
				if h.Add("x-mode", "1"); (len(h.Peek("X-Mode")) == 0) != raw {
					t.Errorf("raw %v: names are normalized otherwise now", raw)
				}
			}
		}
	}
}
