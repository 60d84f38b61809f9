package fasthttpauth

import (
	"bytes"
	"context"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Seal makes the response as it is now the one that is sent, whatever handlers, error
// handlers and middlewares do to it afterwards. It uses what fasthttp has for handlers
// that run on after a timeout. The connection is out of their reach as well from then
// on. A gate calls [Restore] once the handlers behind it have returned.
func Seal(ctx *fasthttp.RequestCtx) {
	if Sealed(ctx) {
		return // already refused
	}
	resp := &ctx.Response
	if ctx.IsHead() {
		resp.SkipBody = true // fasthttp forgets the method
	}
	if !ctx.Request.Header.IsHTTP11() {
		resp.SetConnectionClose() // and the protocol
	}
	// The server also forgets the request, with the files of a form.
	ctx.Request.RemoveMultipartFormFiles()
	ctx.TimeoutErrorWithResponse(resp)
	ctx.SetUserValue(sealKey{}, ctx.LastTimeoutErrorResponse())
	if !served(ctx) { // a gate resends it, if there is one: an error handler's answer has another length
		ctx.SetUserValue(resendKey{}, true)
		resp.Header.Del(fasthttp.HeaderContentLength)
	}
	peer := ctx.RemoteAddr()
	ctx.Init2(sealedOff(ctx.Conn()), nil, false)
	ctx.SetRemoteAddr(peer) // as somebody may have set it
}

// sealKey is the user value that holds a sealed response, resendKey that of one that
// the server does not send by itself.
type (
	sealKey   struct{}
	resendKey struct{}
)

// Sealed reports whether the response of ctx is sealed. An adaptor that serves
// requests of another server may use a ctx again, with the sealed response of an
// earlier request still in it.
func Sealed(ctx *fasthttp.RequestCtx) bool {
	return ctx.LastTimeoutErrorResponse() != nil && (ctx.UserValue(sealKey{}) != nil || served(ctx))
}

// unserved returns the channel that contexts not made by a fasthttp server have as
// Done.
var unserved = sync.OnceValue(func() <-chan struct{} {
	var ctx fasthttp.RequestCtx
	ctx.Init2(nil, nil, false)
	return ctx.Done()
})

// served reports whether ctx belongs to a fasthttp server, which sends the response
// that was sealed. One that Fiber's adaptor makes for a net/http server does not.
func served(ctx *fasthttp.RequestCtx) bool {
	switch ctx.Conn().(type) {
	case nil:
		return false
	case sealedConn, sealedTLS:
		return true
	}
	return ctx.Done() != unserved()
}

// MustResend reports whether the response of ctx is sealed and the server does not
// send the sealed response by itself.
func MustResend(ctx *fasthttp.RequestCtx) bool {
	return ctx.LastTimeoutErrorResponse() != nil && ctx.UserValue(resendKey{}) != nil
}

// Refused reports whether the response of ctx was sealed by [Seal].
func Refused(ctx *fasthttp.RequestCtx) bool {
	return ctx.LastTimeoutErrorResponse() != nil && ctx.UserValue(sealKey{}) != nil // nil first, as of most requests
}

// Restore makes the response that was sealed the one of ctx, which must be [Refused],
// in place of what handlers have written since, and what the error handler writes, which
// tell calls; nil if there is nothing to tell it. It closes what they have opened and
// the server would not: files of a form, and a body stream, such as a file.
func Restore(ctx *fasthttp.RequestCtx, tell func()) {
	defer restore(ctx) // also if the error handler panics
	if tell != nil {
		tellOnce(ctx, tell)
	}
}

func restore(ctx *fasthttp.RequestCtx) {
	sealed, _ := ctx.UserValue(sealKey{}).(*fasthttp.Response)
	if ctx.LastTimeoutErrorResponse() != sealed { // a handler has timed the request out
		ctx.TimeoutErrorWithResponse(sealed)
		ctx.SetUserValue(sealKey{}, ctx.LastTimeoutErrorResponse())
	}
	ctx.Request.RemoveMultipartFormFiles()
	sealed.CopyTo(&ctx.Response)
}

// tellingKey is the user value that is set while an error handler is told of a refusal.
type tellingKey struct{}

// tellOnce calls tell and returns true, or false if an error handler has come here: it
// may start the router over, and would be told without end.
func tellOnce(ctx *fasthttp.RequestCtx, tell func()) bool {
	if ctx.UserValue(tellingKey{}) != nil {
		return false
	}
	ctx.SetUserValue(tellingKey{}, true)
	defer ctx.RemoveUserValue(tellingKey{})
	tell()
	return true
}

// insideKey is the user value that holds a refused check.
type insideKey struct{}

// inside is a refused check.
type inside struct {
	verdict core.Verdict
	request core.Request
}

// Refuse answers with the verdict of a mounted gate and seals the response. If alone
// is set, only gates can write to it afterwards, and it needs no seal.
func (v *View) Refuse(verdict *core.Verdict, alone bool) {
	if !alone || v.shared != nil { // somebody can write, a gate at least
		MarkRefused(v.ctx)
	}
	Write(v.ctx, verdict.Response)
	if !alone {
		Seal(v.ctx)
	}
}

// MarkRefused records that the gate itself writes the response.
func MarkRefused(ctx *fasthttp.RequestCtx) {
	ctx.SetUserValue(cachingKey{}, refusedInside)
}

// RefuseInside answers with the verdict of a check inside a handler about request,
// and seals the response. The request must not have been refused before. conceal
// writes the response if the verdict is concealed.
func RefuseInside(ctx *fasthttp.RequestCtx, request core.Request, v core.Verdict, conceal func()) {
	in, resp := &inside{v, tell(request)}, &ctx.Response
	deleteFields(&resp.Header, func(name []byte) bool { return isAny(name, adapter.RepresentationFields()) })
	_, _, ok := v.Concealed()
	if ok {
		resp.ResetBody()
		resp.SetStatusCode(fasthttp.StatusOK)
		ok = tellOnce(ctx, conceal)
	}
	if !ok {
		Write(ctx, v.Response)
	}
	Seal(ctx)
	ctx.SetUserValue(insideKey{}, in)
}

// told is a request with what the guard is told about it later, when the context of
// an inner app that served it may be gone.
type told struct {
	core.Request
	method string
	route  core.Route
	err    error
}

func tell(r core.Request) *told {
	t := &told{Request: r, method: r.Method()}
	t.route, t.err = r.Route()
	return t
}

func (t *told) Method() string             { return t.method }
func (t *told) Route() (core.Route, error) { return t.route, t.err }

// TellLate tells the guard about handlers behind a gate that wrote after a refused
// check. The gate calls it when they have returned; of returns the context of the
// request.
func TellLate(ctx *fasthttp.RequestCtx, of func() context.Context) {
	sent := ctx.LastTimeoutErrorResponse()
	if sent == nil {
		return
	}
	in, ok := ctx.UserValue(insideKey{}).(*inside)
	if !ok {
		return
	}
	ctx.RemoveUserValue(insideKey{})
	late := &ctx.Response
	if ctx.Hijacked() || late.IsBodyStream() || late.StatusCode() != sent.StatusCode() || !bytes.Equal(late.Body(), sent.Body()) {
		in.verdict.WroteAfter(of(), in.request)
	}
}

// Rewritten reports whether a request has a different path or method than was sent;
// method is the router's current one. Whatever changed it may be mounted anywhere.
func Rewritten(req *fasthttp.Request, method string) bool {
	sent, _, _ := bytes.Cut(req.Header.RequestURI(), []byte("?"))
	return !bytes.Equal(sent, req.URI().PathOriginal()) || string(req.Header.Method()) != method
}
