package fasthttpauth

import (
	"bytes"
	"context"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Seal makes the response as it is now the one that is sent, whatever handlers,
// error handlers and middlewares do to it from here on. fasthttp has that for
// handlers that go on after a timeout. The connection is out of their reach from
// then on as well. Where no server of fasthttp's sends it, [Resend] has to.
func Seal(ctx *fasthttp.RequestCtx) {
	if Sealed(ctx) {
		return // refused before
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
	resend := !served(ctx)
	ctx.SetUserValue(sealKey{}, resend)
	ctx.TimeoutErrorWithResponse(resp)
	if resend { // by a gate, if there is one: an error handler's answer has another length
		resp.Header.Del(fasthttp.HeaderContentLength)
	}
	peer := ctx.RemoteAddr()
	ctx.Init2(sealedOff(ctx.Conn()), nil, false)
	ctx.SetRemoteAddr(peer) // as somebody may have set it
}

// sealKey is the user value of a sealed response: whether it has to be resent.
type sealKey struct{}

// Sealed reports whether the response of ctx is sealed. What has put a request of
// another server into ctx may have used it before, and left that response there.
func Sealed(ctx *fasthttp.RequestCtx) bool {
	return ctx.LastTimeoutErrorResponse() != nil && (ctx.UserValue(sealKey{}) != nil || served(ctx))
}

// unserved is closed when contexts end that no server of fasthttp's has made.
var unserved = sync.OnceValue(func() <-chan struct{} {
	var ctx fasthttp.RequestCtx
	ctx.Init2(nil, nil, false)
	return ctx.Done()
})

// served reports whether ctx is of a server of fasthttp's, which sends what a
// response was sealed with. One of net/http that an adaptor of Fiber's serves is not.
func served(ctx *fasthttp.RequestCtx) bool {
	switch ctx.Conn().(type) {
	case nil:
		return false
	case sealedConn, sealedTLS:
		return true
	}
	return ctx.Done() != unserved()
}

// MustResend reports whether ctx is sealed, and what it is sealed with not sent by
// itself: when the handlers behind a gate have returned, it has told the error
// handler and calls [Resend].
func MustResend(ctx *fasthttp.RequestCtx) bool {
	if ctx.LastTimeoutErrorResponse() == nil { // as of most requests
		return false
	}
	must, _ := ctx.UserValue(sealKey{}).(bool)
	return must
}

// Resend makes the response again what it was sealed with.
func Resend(ctx *fasthttp.RequestCtx) { ctx.LastTimeoutErrorResponse().CopyTo(&ctx.Response) }

// insideKey is the user value of a refused check.
type insideKey struct{}

// inside is a check that refused.
type inside struct {
	verdict core.Verdict
	request core.Request
}

// Refuse answers with the verdict of a mounted gate and seals the response. With alone,
// nothing but gates can write to it any more, and it needs no seal.
func (v *View) Refuse(verdict *core.Verdict, alone bool) {
	resp := &v.ctx.Response
	if alone && v.shared == nil { // nor does a gate
		closeUnread(v.ctx)
	} else {
		MarkRefused(v.ctx)
	}
	Write(resp, verdict.Response)
	if !alone {
		Seal(v.ctx)
	}
}

// MarkRefused notes that the answer is a gate's own, and closes the connection
// after it where that has to be.
func MarkRefused(ctx *fasthttp.RequestCtx) {
	closeUnread(ctx)
	ctx.SetUserValue(cachingKey{}, refusedInside)
}

// RefuseInside answers by the verdict of a check inside a handler about request,
// and seals the response. The request must not have been refused before. conceal
// writes the answer where the verdict asks for that.
func RefuseInside(ctx *fasthttp.RequestCtx, request core.Request, v core.Verdict, conceal func()) {
	in, resp := &inside{v, tell(request)}, &ctx.Response
	for _, name := range adapter.RepresentationFields() {
		resp.Header.Del(name)
	}
	if _, _, ok := v.Concealed(); !ok {
		Write(resp, v.Response)
	} else {
		resp.ResetBody()
		resp.SetStatusCode(fasthttp.StatusOK)
		conceal()
	}
	closeUnread(ctx)
	Seal(ctx)
	ctx.SetUserValue(insideKey{}, in)
}

// told is a request with what the guard is told of it late, when the context of an
// app that has served it inside another one may have gone.
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

// TellLate tells the guard of handlers behind a gate that went on after a refused
// check. It is for the gate to call when they have returned; of is the context of
// the request.
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

// closeUnread closes the connection after the answer if the request's body may
// not have been read to its end: what is left of it would be taken for the next
// request (RFC 9112 §9.3).
func closeUnread(ctx *fasthttp.RequestCtx) {
	if ctx.Request.IsBodyStream() {
		ctx.Response.SetConnectionClose()
	}
}

// Rewritten reports whether a request has another path or method than was sent;
// method is what the router has now. Whoever changed it may stand anywhere.
func Rewritten(req *fasthttp.Request, method string) bool {
	sent, _, _ := bytes.Cut(req.Header.RequestURI(), []byte("?"))
	return !bytes.Equal(sent, req.URI().PathOriginal()) || string(req.Header.Method()) != method
}
