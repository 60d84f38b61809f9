package authzen

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/problem"
)

// serve runs gate one and has answer answer the questions of the body.
func (p *PDP) serve(ctx context.Context, r core.Request, answer func(body map[string]any, ask func(question) (decision, error)) (any, error)) core.Response {
	if r.Method() != http.MethodPost {
		return core.Response{Status: http.StatusMethodNotAllowed, Fields: []core.Field{
			{Name: "Allow", Value: http.MethodPost}, {Name: "Cache-Control", Value: "no-store"},
		}}
	}
	v := p.gate.Check(ctx, r)
	if v.Response != nil {
		return *v.Response
	}
	asker, _ := p.guard.PrincipalFrom(v.Context)
	body, err := readBody(r)
	var said any
	if err == nil {
		said, err = answer(body, func(q question) (decision, error) { return p.ask(v.Context, asker, q) })
	}
	var bad badRequest
	switch {
	case errors.As(err, &bad):
		return reply(r, http.StatusBadRequest, problem.MediaType, problem.Document{Status: http.StatusBadRequest, Detail: bad.Error(), Error: "invalid_request"}.JSON())
	case err != nil:
		// The guard's own answer, to which its observers listen.
		if refused := p.guard.CheckNow(v.Context, r, failing{err}); refused.Response != nil {
			return *refused.Response
		}
		return core.Response{Status: http.StatusInternalServerError}
	}
	return reply(r, http.StatusOK, "application/json", encode(said))
}

// reply is JSON, with the request's X-Request-ID (AuthZEN §10.1.2).
func reply(r core.Request, status int, mediaType string, body []byte) core.Response {
	resp := core.Response{Status: status, Body: body, Fields: []core.Field{
		{Name: "Content-Type", Value: mediaType}, {Name: "Cache-Control", Value: "no-store"},
	}}
	if id, n := r.Header("X-Request-ID"); n == 1 && len(id) <= 256 && !strings.ContainsFunc(id, func(c rune) bool { return c < ' ' || c > '~' }) {
		resp.Fields = append(resp.Fields, core.Field{Name: "X-Request-ID", Value: id})
	}
	return resp
}

// ask puts a question to the policy.
func (p *PDP) ask(ctx context.Context, asker *core.Principal, q question) (d decision, err error) {
	defer func() {
		if v := recover(); v != nil { // in a function of the application
			d, err = decision{}, &core.InternalError{Err: &core.PanicError{Value: v, Stack: debug.Stack()}}
		}
	}()
	subject := asker
	switch {
	case p.subjects != nil:
		if subject, err = p.subjects(ctx, asker, q.subject); err != nil {
			return decision{}, err
		}
		if subject == nil {
			return decision{}, errForeign
		}
	case q.subject.ID != asker.ID():
		return decision{}, errForeign
	}
	resource, err := p.resources(subject, q.resource)
	switch {
	case isFailure(ctx, err):
		return decision{}, err
	case err != nil:
		return denied(err.Error()), nil
	}
	said, err := p.authorizer.Authorize(ctx, subject, core.Access{Action: q.action, Resource: resource, Request: asked{q.action, resource.Path}})
	return decision{Decision: said.Allowed && err == nil}, err
}

// isFailure reports whether an error says that nothing could be found out, and not
// that a resource is none.
func isFailure(ctx context.Context, err error) bool {
	return err != nil && (errtype.In[*core.UnavailableError](err) || errtype.In[*core.InternalError](err) || ctx.Err() != nil)
}

var errForeign = errors.New("the question is about another subject")

// failing is a rule that answers a request as the guard answers to err.
type failing struct{ err error }

func (f failing) Authorize(context.Context, *core.Principal, core.Access) (core.Decision, error) {
	if errors.Is(f.err, errForeign) {
		return core.Decision{Reason: ReasonForeignSubject}, nil
	}
	return core.Decision{}, f.err
}

// asked is the request that a question is about, of which nothing is known but the
// method. An action with a lower-case letter is a name that the application gives
// it, as with core.WithAction, and no method.
type asked struct{ action, path string }

func (a asked) Method() string {
	if strings.ContainsFunc(a.action, unicode.IsLower) {
		return ""
	}
	return a.action
}

func (a asked) Target() string             { return a.path }
func (asked) Host() string                 { return "" }
func (a asked) Route() (core.Route, error) { return core.Route{Path: a.path}, nil }
func (asked) Param(string) string          { return "" }
func (asked) Header(string) (string, int)  { return "", 0 }
func (asked) Cookie(string) (string, int)  { return "", 0 }
func (asked) Query(string) (string, int)   { return "", 0 }
func (asked) TLS() *tls.ConnectionState    { return nil }
func (asked) RemoteAddr() string           { return "" }
