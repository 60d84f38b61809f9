package core_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// responder is a responder that uses only the denial.
func responder(f func(*core.Denial) core.Response) core.Responder {
	return core.ResponderFunc(func(_ core.Request, d *core.Denial) core.Response { return f(d) })
}

// A slow or panicking observer neither changes a verdict nor keeps others from being
// called.
func TestAPanicInAnObserver(t *testing.T) {
	var log strings.Builder
	last := &observer{}
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) { panic("observer") })),
		core.WithObserver(last), core.WithLogger(newLog(&log)))
	gate := mounted(t)(g.Authenticate())
	if v := gate.Check(t.Context(), get("/", "Authorization: Basic alice")); v.Response != nil {
		t.Errorf("allowed became %+v", v.Response)
	}
	if v := gate.Check(t.Context(), get("/")); v.Response == nil || v.Response.Status != 401 {
		t.Errorf("401 became %+v", v.Response)
	}
	if len(last.events) != 2 || strings.Count(log.String(), "observer panicked") != 2 {
		t.Errorf("%d events; log %s", len(last.events), &log)
	}
}

func TestTheObserverSeesThePrincipalInTheContext(t *testing.T) {
	var seen []bool
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithObserver(core.ObserverFunc(func(ctx context.Context, _ core.Event) {
		_, ok := core.PrincipalFrom(ctx)
		seen = append(seen, ok)
	})))
	gate := mounted(t)(g.Authenticate())
	gate.Check(t.Context(), get("/", "Authorization: Basic alice"))
	gate.Check(t.Context(), get("/"))
	if !slices.Equal(seen, []bool{true, false}) {
		t.Errorf("seen %v", seen)
	}
}

func TestResponders(t *testing.T) {
	custom := core.Field{Name: "X-Custom", Value: "kept"}
	respond := func(status int) func(*core.Denial) core.Response {
		return func(*core.Denial) core.Response {
			return core.Response{Status: status, Fields: []core.Field{custom, {Name: "Vary", Value: "Accept"}, {Name: "Www-Authenticate", Value: "Made-Up"}}, Body: []byte("branded")}
		}
	}
	for _, tt := range []struct {
		name       string
		f          func(*core.Denial) core.Response
		request    *request
		status     int
		challenges []string
	}{
		{"J01 a denied page with status 200 is put right", respond(200), get("/"), 401, []string{basicRealm}},
		{"a 403 for 401 is put right", respond(403), get("/"), 401, []string{basicRealm}},
		{"a 401 for 403 is put right", respond(401), get("/", "Authorization: Basic alice"), 403, nil},
		{"no status is put right", respond(0), get("/"), 401, []string{basicRealm}},
		{"A22 concealed, the challenges go", respond(404), get("/"), 404, nil},
		{"A22 a refusal concealed", respond(404), get("/", "Authorization: Basic alice"), 404, nil},
		{"an outage is not concealed", respond(404), get("/", "Authorization: Basic down"), 503, nil},
		{"ambiguity is not concealed", respond(404), get("/", "Authorization: Basic ambiguous"), 400, []string{basicRealm + `, error="invalid_request"`}},
		{"J03 a 401 may lead to the sign-in page", respond(303), get("/"), 303, nil},
		{"a 403 may not: signing in does not help", respond(303), get("/", "Authorization: Basic alice"), 403, nil},
		{"J03 not by a redirect that caches keep", respond(301), get("/"), 401, []string{basicRealm}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithResponder(responder(tt.f)))
			v := mounted(t)(g.Require(needs{"admin"})).Check(t.Context(), tt.request)
			if v.Response == nil || v.Response.Status != tt.status || string(v.Response.Body) != "branded" || o.last(t).Status != tt.status {
				t.Fatalf("%+v, event %+v", v.Response, o.last(t))
			}
			wantFields(t, v.Response.Fields, "WWW-Authenticate", tt.challenges...)
			wantFields(t, v.Response.Fields, "Www-Authenticate")
			wantFields(t, v.Response.Fields, "Cache-Control", "no-store")
			wantFields(t, v.Response.Fields, "X-Custom", "kept")
			wantFields(t, v.Response.Fields, "Vary", "Accept", "Authorization")
		})
	}
}

func TestAResponderThatPanicsIsStoodInFor(t *testing.T) {
	var log strings.Builder
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithLogger(newLog(&log)),
		core.WithResponder(responder(func(*core.Denial) core.Response { panic("template: no such field") })))
	v := mounted(t)(g.Authenticate()).Check(t.Context(), get("/"))
	if v.Response == nil || v.Response.Status != 401 || !strings.Contains(string(v.Response.Body), "authentication_required") || o.last(t).Status != 401 {
		t.Errorf("%+v", v.Response)
	}
	wantFields(t, v.Response.Fields, "WWW-Authenticate", basicRealm)
	if !strings.Contains(log.String(), "responder panicked") || !strings.Contains(log.String(), "no such field") {
		t.Errorf("nobody is told: %q", log.String())
	}
}

// The responder's slice may be shared between requests.
func TestTheRespondersFieldsAreNotWrittenTo(t *testing.T) {
	shared := append(make([]core.Field, 0, 16), core.Field{Name: "X-Custom", Value: "v"})
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")},
		core.WithResponder(responder(func(*core.Denial) core.Response { return core.Response{Fields: shared} })))
	mounted(t)(g.Authenticate()).Check(t.Context(), get("/"))
	if got := shared[:2][1]; got != (core.Field{}) {
		t.Errorf("wrote %v", got)
	}
}

// I05, I07: the default body also contains what a challenge asks for.
func TestTheDefaultBodySaysWhatIsNeeded(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Bearer")})
	gate := mounted(t)(g.Require(answering(core.Decision{Scopes: []string{"read", "write"}}, nil)))
	v := gate.Check(t.Context(), get("/", "Authorization: Bearer alice"))
	if body := string(v.Response.Body); !strings.Contains(body, `"error":"insufficient_scope","scope":"read write"`) {
		t.Errorf("body %s", body)
	}
}
