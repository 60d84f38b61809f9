package ginauth

import (
	"bufio"
	"net"
	"net/http"
	"reflect"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// refused is the state of a refused request, in one allocation.
type refused struct {
	adapter.Refusal
	seal adapter.Seal
}

var refusals adapter.Batch[refused]

// refuse answers with a verdict and seals the response. If the header was already sent, it
// can only abort and seal.
func refuse(c *gin.Context, v *core.Verdict) {
	c.Abort()
	f := refusals.New()
	f.Verdict, f.Request, f.Answer = *v, newView(c), answer
	p := adapter.AuthContextFrom(c.Request.Context())
	w, ok := c.Writer.(*writer)
	switch {
	case p == nil:
		answer(c.Writer, &f.Refusal)
	case ok && w.seal() == &p.Seal:
		p.Refuse(&f.Refusal, c.Writer, true)
		return
	default:
		later := c.Copy() // by then c may belong to another request, if an app behind a gate serves this one
		f.Answer = func(w http.ResponseWriter, f *adapter.Refusal) { answerIn(later, w, f) }
		if !p.Behind(c.Writer) && reflect.TypeOf(c.Writer) == reflect.TypeOf(later.Writer) {
			// HandleContext has restored Gin's own writer, and will send its header.
			adapter.ClearRepresentation(c.Writer.Header())
			answer(c.Writer, &f.Refusal)
		}
		p.Refuse(&f.Refusal, c.Writer, false)
	}
	f.seal.Cover(c.Writer, &f.Refusal)
	c.Writer = (*writer)(&f.seal)
}

// answer writes the answer to w while the request is being handled.
func answer(w http.ResponseWriter, f *adapter.Refusal) {
	view, _ := f.Request.(view)
	answerIn(view.c, w, f)
}

// bare is an engine that provides Gin's writers.
var bare = sync.OnceValue(func() *gin.Engine { return gin.New() })

// answerIn writes the answer to the given writer, and uses c if the route is hidden.
func answerIn(c *gin.Context, to http.ResponseWriter, f *adapter.Refusal) {
	w, ok := to.(gin.ResponseWriter)
	if !ok { // behind the gate of another framework
		w = gin.CreateTestContextOnly(to, bare()).Writer
	}
	if w.Written() {
		return
	}
	if _, _, ok := f.Verdict.Concealed(); ok {
		sealed := c.Writer
		c.Writer = w
		defer func() { c.Writer = sealed }()
		conceal(c, &f.Verdict)
	} else {
		adapter.Write(w, f.Verdict.Response)
	}
	w.WriteHeaderNow()
}

// conceal answers like the engine does for an unknown path.
func conceal(c *gin.Context, v *core.Verdict) {
	native, undo, _ := v.Concealed()
	h, err := notFound(native)
	if err != nil { // only for a guard that has no mounted gate
		adapter.Write(c.Writer, v.Response)
		return
	}
	adapter.RemoveFields(c.Writer.Header(), undo)
	c.Status(http.StatusNotFound)
	h(c)
	if !c.Writer.Written() && c.Writer.Status() == http.StatusNotFound {
		c.Writer.Header()["Content-Type"] = []string{gin.MIMEPlain}
		_, _ = c.Writer.WriteString("404 page not found") // an error means that the client has gone
	}
}

// writer is a seal with the interface of Gin's own writers.
type writer adapter.Seal

var _ gin.ResponseWriter = (*writer)(nil)

func (w *writer) seal() *adapter.Seal { return (*adapter.Seal)(w) }

func (w *writer) below() gin.ResponseWriter {
	below, _ := w.seal().Below().(gin.ResponseWriter)
	return below
}

func (w *writer) Header() http.Header               { return w.seal().Header() }
func (w *writer) Write(b []byte) (int, error)       { return w.seal().Write(b) }
func (w *writer) WriteString(s string) (int, error) { return w.seal().WriteString(s) }
func (w *writer) CloseNotify() <-chan bool          { return w.seal().CloseNotify() }
func (w *writer) FlushError() error                 { return w.seal().FlushError() }
func (w *writer) Flush()                            { _ = w.seal().FlushError() } // http.Flusher returns no error
func (w *writer) Unwrap() http.ResponseWriter       { return w.seal() }
func (w *writer) Status() int                       { return w.below().Status() }
func (w *writer) Size() int                         { return w.below().Size() }
func (w *writer) Written() bool                     { return w.below().Written() }

// Hijack fails if the server has no connection to hand over, as with HTTP/2. Gin's own
// writer panics in that case, and counts as written to afterwards.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if own, ok := w.below().(interface{ Unwrap() http.ResponseWriter }); ok && !w.seal().Closed() {
		if _, ok := own.Unwrap().(http.Hijacker); !ok {
			return nil, nil, http.ErrNotSupported
		}
	}
	return w.seal().Hijack()
}

// WriteHeader only records the status: Gin sends it with the first byte.
func (w *writer) WriteHeader(status int) {
	if w.seal().Closed() {
		w.seal().WriteHeader(status)
		return
	}
	w.below().WriteHeader(status)
}

func (w *writer) WriteHeaderNow() {
	if !w.seal().Closed() {
		w.seal().Keep()
		w.below().WriteHeaderNow()
	}
}

func (w *writer) Pusher() http.Pusher {
	if w.seal().Closed() {
		return w.seal()
	}
	return w.below().Pusher()
}
