// Package httpauth mounts a [core.Guard] on plain net/http: ServeMux, chi, gorilla
// and any other router that takes func(http.Handler) http.Handler.
//
//	mux := http.NewServeMux()
//	mux.Handle("GET /reports/{id}", httpauth.Authorize(guard)(http.HandlerFunc(
//		func(w http.ResponseWriter, r *http.Request) {
//			fmt.Fprintf(w, "hello, %s\n", httpauth.Principal(r).ID())
//		})))
//	log.Fatal(http.ListenAndServe("127.0.0.1:8080", mux))
//
// Mount gates around the handlers of routes, inside the mux, where the matched
// pattern is known. Around a whole mux the pattern is unknown and policies see only
// the path. Inside [http.StripPrefix] they see the stripped path.
package httpauth

import (
	"context"
	"fmt"
	"net/http"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Middleware wraps a handler.
type Middleware = func(http.Handler) http.Handler

// Authenticate mounts gate one, which answers 401 without a usable identity. Like
// all functions here that mount a gate it panics if the gate cannot work, so that a
// mistake shows at start-up.
func Authenticate(g *core.Guard) Middleware { return mount(g.Authenticate()) }

// Optional lets requests without credentials pass as anonymous; bad credentials
// still get 401. [core.WithExpiredAsAnonymous] lets lapsed ones pass as well.
func Optional(g *core.Guard, opts ...core.GateOption) Middleware {
	return mount(g.Optional(opts...))
}

// Authorize mounts gate two with the guard's authorizer. It first runs gate one if
// the request has not passed it yet.
func Authorize(g *core.Guard, opts ...core.GateOption) Middleware {
	return mount(g.Authorize(opts...))
}

// Require mounts gate two with rules, all of which must allow. It first runs gate
// one if the request has not passed it yet.
func Require(g *core.Guard, rules ...core.Authorizer) Middleware { return mount(g.Require(rules...)) }

// Principal returns the principal that passed gate one, or nil for an anonymous
// request.
func Principal(r *http.Request) *core.Principal {
	p, _ := core.PrincipalFrom(r.Context())
	return p
}

// Check asks rules from inside a handler, once the object they need is loaded. If
// they refuse, it writes the response and returns the denial; the handler must
// return without writing. Behind a mounted gate anything it still writes is
// dropped, and the guard's logger is told. Without a gate, only the server itself
// can keep the handler from appending to the response, and it cannot do so if a
// middleware compresses or buffers the response.
//
// [Principal] still returns whom the gates let through. Without a gate of g in front,
// each Check authenticates anew, and what counts only once, such as a DPoP proof,
// passes only the first.
func Check(w http.ResponseWriter, r *http.Request, g *core.Guard, rules ...core.Authorizer) error {
	v := g.CheckNow(r.Context(), Request(r), rules...)
	if v.Response == nil {
		adapter.Pass(w, r, &v)
		return nil
	}
	if !refuse(w, r, &v) {
		// No known gate has seen the response, so its representation fields are the
		// handler's.
		adapter.ClearRepresentation(w.Header())
		answerUnseen(w, r, &v)
	}
	return v.Denial
}

var refusals adapter.Batch[adapter.Refusal]

// refuse writes the response of a verdict, and reports false if there is no gate in
// front of w.
func refuse(w http.ResponseWriter, r *http.Request, v *core.Verdict) bool {
	p := adapter.AuthContextFrom(r.Context())
	if p == nil || !p.Belongs(w, r) {
		return false
	}
	f := refusals.New()
	f.Verdict, f.Request, f.Answer = *v, Request(r), answerRefusal
	direct := w == p.Seal.Writer()
	if p.Refuse(f, w, direct); !direct {
		w.WriteHeader(v.Response.Status) // for middleware in between that counts and logs
	}
	return true
}

// answerUnseen responds if no gate is known to be in front. If w is nevertheless
// the seal of one, the request has lost its context on the way, and the seal is
// closed too.
func answerUnseen(w http.ResponseWriter, r *http.Request, v *core.Verdict) {
	answer(w, r, v)
	if s := adapter.SealOf(w); s != nil && !s.Closed() {
		f := refusals.New()
		f.Verdict, f.Request, f.Answer = *v, Request(r), answerRefusal
		s.Close(f)
	}
}

func answerRefusal(w http.ResponseWriter, f *adapter.Refusal) {
	view, _ := f.Request.(adapter.View)
	answer(w, view.Request, &f.Verdict)
}

func answer(w http.ResponseWriter, r *http.Request, v *core.Verdict) {
	native, undo, ok := v.Concealed()
	if !ok {
		adapter.Write(w, v.Response)
		return
	}
	adapter.RemoveFields(w.Header(), undo)
	h, err := notFound(native)
	if err != nil { // only for a guard without any mounted gate
		adapter.Write(w, v.Response)
		return
	}
	h.ServeHTTP(w, r)
}

// notFound returns the handler for unknown paths given to [core.WithConcealment].
func notFound(native any) (http.Handler, error) {
	switch h := native.(type) {
	case nil:
		return http.HandlerFunc(http.NotFound), nil
	case http.Handler:
		return h, nil
	case func(http.ResponseWriter, *http.Request):
		return http.HandlerFunc(h), nil
	}
	return nil, fmt.Errorf("concealment: %T is not an http.Handler", native)
}

// gated is a view for a mounted gate.
type gated struct{ adapter.View }

// Room implements the method that [core.Room] describes.
func (gated) Room(ctx context.Context) (*core.Room, context.Context) { return adapter.Room(ctx) }

// AddFields adds fields from core and its schemes, such as those of a login, to a
// response header: Vary is merged with what others have set, every challenge and
// cookie gets its own line, other fields replace existing ones.
func AddFields(h http.Header, fields ...core.Field) { adapter.AddFields(h, fields) }

// Request returns the view of a request for framework-neutral code, such as a login
// of core/session.
func Request(r *http.Request) core.Request { return adapter.View{Request: r} }

// Serve mounts an endpoint, such as a metadata document.
func Serve(e core.Endpoint) http.Handler {
	if e == nil {
		panic("httpauth: endpoint is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp := e(r.Context(), Request(r))
		adapter.Write(w, &resp)
	})
}

func mount(t *core.Gate, err error) Middleware {
	adapter.CheckMount("httpauth", t, err, notFound)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v := t.Check(r.Context(), gated{adapter.View{Request: r}})
			if v.Response != nil {
				if !refuse(w, r, &v) {
					answerUnseen(w, r, &v)
				}
				return
			}
			p, passed := adapter.Enter(w, r, &v)
			if p != nil {
				w = p.Seal.Writer()
			}
			defer adapter.Leave(p, r, passed)
			next.ServeHTTP(w, passed)
		})
	}
}
