package echoauth

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// refused is the state of a refused request, in one allocation.
type refused struct {
	adapter.Refusal
	seal   adapter.Seal
	sealed echo.Response
	err    echo.HTTPError
}

var refusals adapter.Batch[refused]

// newRefused returns a refusal with the verdict v. Its error is for the framework.
func newRefused(view *view, v *core.Verdict) *refused {
	f := refusals.New()
	f.Verdict, f.Request, f.Answer = *v, view, answer
	if v.Denial != nil {
		f.err.Code, f.err.Message, f.err.Internal = v.Response.Status, message(v.Denial.Code), v.Denial
	}
	return f
}

// error returns the error for the framework; nil for a preflight.
func (f *refused) error() error {
	if f.Verdict.Denial == nil {
		return nil
	}
	return &f.err
}

// refuse answers with a gate's verdict and seals the response. If the header was already
// sent, it can only seal. A hidden route may be answered by returning the error of an
// unknown route, which then takes the usual path of such errors.
func (f *refused) refuse(c echo.Context) error {
	resp := c.Response()
	if p := adapter.AuthContextFrom(c.Request().Context()); p != nil {
		p.Seal.Release()
	}
	if native, undo, ok := f.Verdict.Concealed(); ok && !resp.Committed {
		adapter.RemoveFields(resp.Header(), undo)
		if h, err := notFound(native); err == nil { // checked by mount
			if err := h(c); err != nil {
				return err
			}
		}
	}
	if !resp.Committed {
		send(resp, &f.seal, &f.Refusal)
	}
	f.close(c)
	return f.error()
}

// refuseInside answers with a check's verdict and seals the response.
func (f *refused) refuseInside(c echo.Context) error {
	resp := c.Response()
	p := adapter.AuthContextFrom(c.Request().Context())
	switch {
	case p == nil && resp.Committed:
		f.close(c)
	case p == nil:
		held := adapter.HoldsBack(resp.Writer)
		adapter.ClearRepresentation(resp.Header())
		answer(resp.Writer, &f.Refusal)
		if held { // and would not send it if the handler returned an error
			resp.Header().Del(echo.HeaderContentLength)
		}
		f.close(c)
		c.Response().Committed = !held
	case resp.Writer == p.Seal.Writer():
		p.Refuse(&f.Refusal, resp.Writer, true)
		f.sealContext(c, resp.Writer)
	default:
		f.answerLater(c)
		p.Refuse(&f.Refusal, resp.Writer, false)
		resp.Status = f.Verdict.Response.Status
		f.close(c)
	}
	return f.error()
}

// close seals the response of c with a seal that belongs to f.
func (f *refused) close(c echo.Context) {
	resp := c.Response()
	f.seal.Cover(resp.Writer, &f.Refusal)
	f.sealContext(c, &f.seal)
}

// sealContext replaces the response of c by one with a sealed writer. Middlewares such as
// Gzip restore the writer they found into the response they found; whoever asks the context
// gets the other response, which stays sealed.
func (f *refused) sealContext(c echo.Context, w http.ResponseWriter) {
	resp := c.Response()
	f.sealed = *echo.NewResponse(w, c.Echo())
	f.sealed.Status, f.sealed.Size, f.sealed.Committed = resp.Status, resp.Size, true
	resp.Writer, resp.Committed = w, true
	c.SetResponse(&f.sealed)
}

// answerLater writes the answer in a context of its own: by then c may belong to another
// request, if an app behind a gate serves this one.
func (f *refused) answerLater(c echo.Context) {
	later := c.Echo().NewContext(c.Request(), nil)
	f.Answer = func(w http.ResponseWriter, f *adapter.Refusal) { answerIn(later, w, f) }
}

// answer writes the answer to w while the request is being handled.
func answer(w http.ResponseWriter, f *adapter.Refusal) {
	view, _ := f.Request.(*view)
	answerIn(view.c, w, f)
}

func answerIn(c echo.Context, w http.ResponseWriter, f *adapter.Refusal) {
	resp := c.Response()
	sealed := resp.Writer
	resp.Writer, resp.Committed = w, false
	defer func() { resp.Writer = sealed }()
	if native, undo, ok := f.Verdict.Concealed(); ok {
		adapter.RemoveFields(resp.Header(), undo)
		if h, err := notFound(native); err == nil {
			if err := h(c); err != nil {
				c.Error(err)
			}
		}
	}
	if !resp.Committed {
		send(resp, new(adapter.Seal), f)
	}
}

// send writes the answer of f to resp through s, which has not been used.
func send(resp *echo.Response, s *adapter.Seal, f *adapter.Refusal) {
	below, answer := resp.Writer, f.Verdict.Response
	w := s.Answering(below, f)
	resp.Writer = w
	resp.WriteHeader(answer.Status)
	resp.Status = answer.Status
	if len(answer.Body) > 0 { // a compressor would turn an empty body into a non-empty one
		_, _ = resp.Write(answer.Body) // an error means that the client has gone; the verdict stands
	}
	if resp.Writer == http.ResponseWriter(w) {
		resp.Writer = below
	}
}

// finishRefusal lets a refusal continue as an error, unless w holds back the answer and would drop
// it on an error. In that case it calls the error handler itself.
func finishRefusal(c echo.Context, w http.ResponseWriter, err error) error {
	if err == nil || !adapter.HoldsBack(w) || !isRefusal(err) {
		return err
	}
	c.Response().Committed = true
	c.Error(err)
	return nil
}

func isRefusal(err error) bool {
	var d *core.Denial
	return errors.As(err, &d)
}

// message converts a public code to an interface value. Constants convert without
// allocation.
func message(code string) any {
	switch code {
	case core.CodeAuthenticationRequired:
		return core.CodeAuthenticationRequired
	case core.CodeForbidden:
		return core.CodeForbidden
	}
	return code
}
