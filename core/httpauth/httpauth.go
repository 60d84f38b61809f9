// Package httpauth mounts a [core.Guard] on plain net/http: ServeMux, chi,
// gorilla and whatever else takes func(http.Handler) http.Handler.
//
//	mux := http.NewServeMux()
//	mux.Handle("GET /reports/{id}", httpauth.Authorize(guard)(http.HandlerFunc(
//		func(w http.ResponseWriter, r *http.Request) {
//			fmt.Fprintf(w, "hello, %s\n", httpauth.Principal(r).ID())
//		})))
//	log.Fatal(http.ListenAndServe("127.0.0.1:8080", mux))
//
// Mount gates around the handlers of routes, inside the mux: there the matched
// pattern is known. Around a whole mux the pattern is unknown and policies see
// the path alone. Inside [http.StripPrefix] they see the stripped path.
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

// Authenticate mounts gate one: 401 without a usable identity. Like all
// functions here that mount a gate it panics when the gate cannot work, so a
// mistake shows at start-up.
func Authenticate(g *core.Guard) Middleware { return mount(g.Authenticate()) }

// Optional lets requests without credentials pass as anonymous; bad
// credentials are still 401. [core.WithExpiredAsAnonymous] lets expired ones pass
// as well.
func Optional(g *core.Guard, opts ...core.GateOption) Middleware {
	return mount(g.Optional(opts...))
}

// Authorize mounts gate two with the guard's authorizer. It runs gate one
// first where that has not been done.
func Authorize(g *core.Guard, opts ...core.GateOption) Middleware {
	return mount(g.Authorize(opts...))
}

// Require mounts gate two with rules, all of which must allow. It runs gate
// one first where that has not been done.
func Require(g *core.Guard, rules ...core.Authorizer) Middleware { return mount(g.Require(rules...)) }

// Principal is who passed gate one, or nil for an anonymous request.
func Principal(r *http.Request) *core.Principal {
	p, _ := core.PrincipalFrom(r.Context())
	return p
}

// Check asks rules from inside a handler, once the object they judge is
// loaded. On a refusal it has written the answer and returns the denial; the
// handler returns without writing. Behind a mounted gate nothing of what it
// writes all the same is sent, and the guard's logger is told. Without one, only
// the server itself keeps the handler from appending to the answer, which it
// cannot where a middleware compresses or holds back the response.
func Check(w http.ResponseWriter, r *http.Request, g *core.Guard, rules ...core.Authorizer) error {
	v := g.CheckNow(r.Context(), Request(r), rules...)
	if v.Response == nil {
		adapter.Pass(w, r, &v)
		return nil
	}
	if !refuse(w, r, &v) {
		// No gate has seen the response, or none that is known, so what its
		// header says of a representation is the handler's.
		adapter.ClearRepresentation(w.Header())
		answerUnseen(w, r, &v)
	}
	return v.Denial
}

var refusals adapter.Batch[adapter.Refusal]

// refuse answers by a verdict, and reports false if no gate stands in front of w.
func refuse(w http.ResponseWriter, r *http.Request, v *core.Verdict) bool {
	p := adapter.PassageFrom(r.Context())
	if p == nil || !p.Belongs(w, r) {
		return false
	}
	f := refusals.New()
	*f = adapter.Refusal{Verdict: *v, Request: Request(r), Answer: answerRefusal}
	direct := w == p.Seal.Writer()
	if p.Refuse(f, direct); !direct {
		w.WriteHeader(v.Response.Status) // for those between, who count and log
	}
	return true
}

// answerUnseen answers where no gate is known to stand in front. If w is the seal
// of one, the request has lost its context on the way: the seal closes all the
// same.
func answerUnseen(w http.ResponseWriter, r *http.Request, v *core.Verdict) {
	answer(w, r, v)
	if s := adapter.SealOf(w); s != nil && !s.Closed() {
		f := refusals.New()
		*f = adapter.Refusal{Verdict: *v, Request: Request(r), Answer: answerRefusal}
		s.Close(f)
	}
}

func answerRefusal(w http.ResponseWriter, f *adapter.Refusal) {
	view, _ := f.Request.(View)
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
	if err != nil { // only a guard no gate of which is mounted
		adapter.Write(w, v.Response)
		return
	}
	h.ServeHTTP(w, r)
}

// notFound is the handler for unknown paths given to [core.WithConcealment].
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

// View is what [Request] returns.
type View = adapter.View

// gated is a view for a mounted gate.
type gated struct{ View }

// Room is what [core.Room] says.
func (gated) Room(ctx context.Context) (*core.Room, context.Context) { return adapter.Room(ctx) }

// AddFields puts fields that core and its schemes give out, such as those of a
// login, into a response header: Vary is merged with what others have set, every
// challenge and cookie gets its own line, other names replace.
func AddFields(h http.Header, fields []core.Field) { adapter.AddFields(h, fields) }

// Request shows a request to code that knows no framework, such as a login of
// core/session.
func Request(r *http.Request) core.Request { return View{Request: r} }

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
	if native, ok := t.Conceals(); ok && err == nil {
		_, err = notFound(native)
	}
	if err != nil {
		panic("httpauth: " + err.Error())
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v := t.Check(r.Context(), gated{View{Request: r}})
			if v.Response != nil {
				if !refuse(w, r, &v) {
					answerUnseen(w, r, &v)
				}
				return
			}
			p, r := adapter.Enter(w, r, &v)
			if p != nil {
				w = p.Seal.Writer()
				defer p.End()
			}
			next.ServeHTTP(w, r)
		})
	}
}
