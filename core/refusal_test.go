package core_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// An answer that is shown is the one that is sent.
func TestARefusalIsWhatAGateAnswers(t *testing.T) {
	s := newScheme(t, "Bearer")
	s.answers["limited"] = answer{err: &core.LimitError{RetryAfter: time.Second}}
	for _, tt := range []struct {
		kind          core.Kind
		path, present string
	}{
		{core.Unauthenticated, "/a", ""},
		{core.Forbidden, "/a", "Bearer alice"},
		{core.Limited, "/a", "Bearer limited"},
		{core.Unavailable, "/a", "Bearer down"},
		{core.Ambiguous, "/a/../b", ""},
		{core.Faulty, "/a", "Bearer broken"},
	} {
		g, o := newGuard(t, []core.Authenticator{s}, core.WithAuthorizer(answering(core.Decision{}, nil)), core.WithRetryAfter(7*time.Second))
		r := get(tt.path)
		if tt.present != "" {
			r = get(tt.path, "Authorization: "+tt.present)
		}
		shown := g.Refusal(r, tt.kind)
		if len(o.events) != 0 {
			t.Errorf("%d: observers were told", tt.kind)
		}
		v := mounted(t)(g.Authorize()).Check(t.Context(), r)
		if v.Response == nil {
			t.Fatalf("%d: the request passed", tt.kind)
		}
		if shown.Status != v.Response.Status || string(shown.Body) != string(v.Response.Body) || !reflect.DeepEqual(fieldsOf(shown), fieldsOf(*v.Response)) {
			t.Errorf("%d:\nshown %+v\nsent  %+v", tt.kind, shown, *v.Response)
		}
	}
}

// A concealed route stays concealed.
func TestARefusalOfAHiddenRouteIsNotFound(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Bearer")}, core.WithConcealment(nil))
	for kind, want := range map[core.Kind]int{core.Unauthenticated: 404, core.Forbidden: 404, core.Limited: 404, core.Unavailable: 503} {
		if got := g.Refusal(get("/a"), kind).Status; got != want {
			t.Errorf("%d: %d, want %d", kind, got, want)
		}
	}
}

func fieldsOf(r core.Response) [][2]string {
	var all [][2]string
	for _, f := range r.Fields {
		all = append(all, [2]string{f.Name, f.Value})
	}
	return all
}
