package stacks

import (
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/valyala/fasthttp"
)

// httpCaller calls a handler again and again with one request, and throws the
// answer away.
type httpCaller struct {
	handler http.Handler
	request *http.Request
	value   []string // of Authorization
	writer  discard
}

func newHTTPCaller(h http.Handler) Caller {
	return &httpCaller{
		handler: h,
		request: httptest.NewRequest(http.MethodGet, path, nil),
		value:   []string{""},
		writer:  discard{header: http.Header{}},
	}
}

func (c *httpCaller) Call(authorization string) int {
	if authorization == "" {
		delete(c.request.Header, "Authorization")
	} else {
		c.value[0] = authorization
		c.request.Header["Authorization"] = c.value
	}
	c.writer.status = http.StatusOK
	clear(c.writer.header)
	c.handler.ServeHTTP(&c.writer, c.request)
	return c.writer.status
}

func (c *httpCaller) Serve(l net.Listener) error {
	return (&http.Server{Handler: c.handler}).Serve(l)
}

// discard is a response that nobody reads. As that of a server it can flush, so
// that no gate takes it for one that holds back what is written.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header               { return d.header }
func (d *discard) WriteHeader(status int)            { d.status = status }
func (d *discard) Write(p []byte) (int, error)       { return len(p), nil }
func (d *discard) WriteString(s string) (int, error) { return len(s), nil }
func (d *discard) Flush()                            {}

// fiberCaller does the same with Fiber, whose server reuses a request context
// as well.
type fiberCaller struct {
	handler fasthttp.RequestHandler
	ctx     fasthttp.RequestCtx
}

func newFiberCaller(h fasthttp.RequestHandler) Caller {
	c := &fiberCaller{handler: h}
	var r fasthttp.Request
	r.Header.SetMethod(fasthttp.MethodGet)
	r.SetRequestURI(path)
	r.Header.SetHost("example.com")
	c.ctx.Init(&r, nil, nil)
	return c
}

func (c *fiberCaller) Call(authorization string) int {
	if authorization == "" {
		c.ctx.Request.Header.Del(fasthttp.HeaderAuthorization)
	} else {
		c.ctx.Request.Header.Set(fasthttp.HeaderAuthorization, authorization)
	}
	c.ctx.Response.Reset()
	c.ctx.ResetUserValues()
	c.handler(&c.ctx)
	return c.ctx.Response.StatusCode()
}

// SettlePools makes fasthttp's pool of bodies keep buffers for answers as long as any.
// It forgets those that are longer than most of the last 42,000 answers were, and then
// the first long ones after many short ones allocate.
func SettlePools() {
	long := make([]byte, 1<<10)
	var r fasthttp.Response
	for range 42_001 {
		r.SetBody(long)
		r.Reset()
	}
}

func (c *fiberCaller) Serve(l net.Listener) error {
	return (&fasthttp.Server{Handler: c.handler}).Serve(l)
}
