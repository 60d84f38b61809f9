package ginauth

import (
	"bufio"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// passed is a request that has passed a gate, in one piece of memory.
type passed struct {
	adapter.Passage
	writer writer
}

// begin gives the handlers behind a gate a response that can be sealed.
func begin(c *gin.Context, v *core.Verdict) *passed {
	p := new(passed)
	c.Request = p.Begin(c.Writer, c.Request, v)
	p.writer = writer{seal: &p.Seal, below: c.Writer}
	c.Writer = &p.writer
	return p
}

// end is what remains to be done when the handlers have returned.
func (p *passed) end(c *gin.Context) {
	p.End()
	if c.Writer == gin.ResponseWriter(&p.writer) && !p.Seal.Closed() {
		c.Writer = p.writer.below
	}
}

// refused is a refused request, in one piece of memory.
type refused struct {
	adapter.Refusal
	seal   adapter.Seal
	writer writer
}

var refusals adapter.Batch[refused]

// refuse answers by a verdict and seals the response. When headers are sent
// already it can only stop and seal.
func refuse(c *gin.Context, v core.Verdict) {
	c.Abort()
	f := refusals.New()
	f.Refusal = adapter.Refusal{Verdict: v, Request: newView(c), Native: c, Answer: answer}
	if p := adapter.PassageFrom(c.Request.Context()); p != nil {
		w, ok := c.Writer.(*writer)
		direct := ok && w.seal == &p.Seal
		if p.Refuse(&f.Refusal, direct); direct {
			return
		}
	} else {
		answer(c.Writer, &f.Refusal)
	}
	f.seal.Wrap(c.Writer)
	f.seal.End()
	f.seal.Close(f)
	f.writer = writer{seal: &f.seal, below: c.Writer}
	c.Writer = &f.writer
}

// answer writes the answer to w, which is Gin's.
func answer(to http.ResponseWriter, f *adapter.Refusal) {
	c, _ := f.Native.(*gin.Context)
	w, ok := to.(gin.ResponseWriter)
	if !ok || w.Written() {
		return
	}
	sealed := c.Writer
	c.Writer = w
	defer func() { c.Writer = sealed }()
	if _, _, ok := f.Verdict.Concealed(); ok {
		conceal(c, &f.Verdict)
	} else {
		adapter.Write(w, f.Verdict.Response)
	}
	w.WriteHeaderNow()
}

// conceal answers as the engine does for a path it does not know.
func conceal(c *gin.Context, v *core.Verdict) {
	native, undo, _ := v.Concealed()
	h, err := notFound(native)
	if err != nil { // only a guard no gate of which is mounted
		adapter.Write(c.Writer, v.Response)
		return
	}
	adapter.RemoveFields(c.Writer.Header(), undo)
	c.Status(http.StatusNotFound)
	h(c)
	if !c.Writer.Written() && c.Writer.Status() == http.StatusNotFound {
		c.Writer.Header()["Content-Type"] = []string{gin.MIMEPlain}
		_, _ = c.Writer.WriteString("404 page not found") // the client has gone
	}
}

// writer is a seal as Gin's handlers see it.
type writer struct {
	seal  *adapter.Seal
	below gin.ResponseWriter
}

var _ gin.ResponseWriter = (*writer)(nil)

func (w *writer) Header() http.Header                          { return w.seal.Header() }
func (w *writer) Write(b []byte) (int, error)                  { return w.seal.Write(b) }
func (w *writer) WriteString(s string) (int, error)            { return w.seal.WriteString(s) }
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.seal.Hijack() }
func (w *writer) CloseNotify() <-chan bool                     { return w.seal.CloseNotify() }
func (w *writer) FlushError() error                            { return w.seal.FlushError() }
func (w *writer) Flush()                                       { _ = w.seal.FlushError() } // as http.Flusher has it
func (w *writer) Unwrap() http.ResponseWriter                  { return w.seal }
func (w *writer) Status() int                                  { return w.below.Status() }
func (w *writer) Size() int                                    { return w.below.Size() }
func (w *writer) Written() bool                                { return w.below.Written() }

// WriteHeader only notes the status: Gin sends it with the first byte.
func (w *writer) WriteHeader(status int) {
	if w.seal.Closed() {
		w.seal.WriteHeader(status)
		return
	}
	w.below.WriteHeader(status)
}

func (w *writer) WriteHeaderNow() {
	if !w.seal.Closed() {
		w.seal.Keep()
		w.below.WriteHeaderNow()
	}
}

func (w *writer) Pusher() http.Pusher {
	if w.seal.Closed() {
		return w.seal
	}
	return w.below.Pusher()
}
