package echoauth

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v5"

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
		err, _ := echo.HTTPError{Code: v.Response.Status, Message: v.Denial.Code}.Wrap(v.Denial).(*echo.HTTPError)
		f.err = *err
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
func (f *refused) refuse(c *echo.Context) error {
	if p := adapter.AuthContextFrom(c.Request().Context()); p != nil {
		p.Seal.Release()
	}
	resp, known := response(c)
	if native, undo, ok := f.Verdict.Concealed(); ok && !resp.Committed {
		adapter.RemoveFields(resp.Header(), undo)
		if h, err := notFound(native); err == nil { // checked by mount
			wrapped := c.Response() != http.ResponseWriter(resp)
			if err := h(c); err != nil {
				return err
			}
			if wrapped { // the answer goes through the wrappers, as for an unknown route
				return f.cover(c, resp)
			}
		}
	}
	w := resp.ResponseWriter
	if !resp.Committed {
		send(resp, &f.seal, &f.Refusal)
	}
	f.close(c, resp)
	return finishRefusal(c, w, known, f.error())
}

// cover seals writers around the response that have not yet sent everything, which is why
// it calls the error handler itself.
func (f *refused) cover(c *echo.Context, resp *echo.Response) error {
	f.seal.Cover(c.Response(), &f.Refusal)
	f.setSealed(c, resp, &f.seal)
	if err := f.error(); err != nil {
		c.Echo().HTTPErrorHandler(c, err)
	}
	return nil
}

// refuseInside answers with a check's verdict and seals the response.
func (f *refused) refuseInside(c *echo.Context) error {
	resp, _ := response(c)
	p := adapter.AuthContextFrom(c.Request().Context())
	switch {
	case p == nil:
		if !resp.Committed {
			adapter.ClearRepresentation(resp.Header())
			answer(resp.ResponseWriter, &f.Refusal)
		}
		f.close(c, resp)
	case resp.ResponseWriter != p.Seal.Writer():
		f.answerLater(c)
		p.Refuse(&f.Refusal, c.Response(), false)
		resp.Status = f.Verdict.Response.Status
		f.close(c, resp)
	case c.Response() != http.ResponseWriter(resp):
		// A middleware's writer around the response may hold back content for the sealed
		// writer below it, which then drops it silently.
		f.answerLater(c)
		p.Refuse(&f.Refusal, c.Response(), false)
		resp.Status, resp.Committed = f.Verdict.Response.Status, true
		f.seal.Cover(resp.ResponseWriter, &f.Refusal)
		f.setSealed(c, resp, &f.seal)
	default:
		p.Refuse(&f.Refusal, c.Response(), true)
		resp.Committed = true
		f.setSealed(c, resp, resp.ResponseWriter)
	}
	return f.error()
}

// close seals resp, the response of c, with a seal that belongs to f.
func (f *refused) close(c *echo.Context, resp *echo.Response) {
	f.seal.Cover(resp.ResponseWriter, &f.Refusal)
	resp.ResponseWriter, resp.Committed = &f.seal, true
	f.setSealed(c, resp, &f.seal)
}

// setSealed makes a sealed writer the response of c, within a response that shows what resp
// has sent. A middleware may restore the writer that it found, either into the response or
// into the context: both stay sealed.
func (f *refused) setSealed(c *echo.Context, resp *echo.Response, w http.ResponseWriter) {
	f.sealed = *echo.NewResponse(w, c.Logger())
	f.sealed.Status, f.sealed.Size, f.sealed.Committed = resp.Status, resp.Size, true
	c.SetResponse(&f.sealed)
}

// answerLater writes the answer in a context of its own: by then c may belong to another
// request, if an app behind a gate serves this one.
func (f *refused) answerLater(c *echo.Context) {
	later := c.Echo().NewContext(c.Request(), nil)
	f.Answer = func(w http.ResponseWriter, f *adapter.Refusal) { answerIn(later, w, f) }
}

// answer writes the answer to w while the request is being handled.
func answer(w http.ResponseWriter, f *adapter.Refusal) {
	view, _ := f.Request.(*view)
	answerIn(view.c, w, f)
}

// answerIn writes the answer to w, even if other writers have been put around the response.
func answerIn(c *echo.Context, w http.ResponseWriter, f *adapter.Refusal) {
	around := c.Response()
	resp, _ := response(c)
	sealed := resp.ResponseWriter
	resp.ResponseWriter, resp.Committed = w, false
	c.SetResponse(resp)
	defer func() {
		resp.ResponseWriter = sealed
		c.SetResponse(around)
	}()
	if native, undo, ok := f.Verdict.Concealed(); ok {
		adapter.RemoveFields(resp.Header(), undo)
		if h, err := notFound(native); err == nil {
			if err := h(c); err != nil {
				c.Echo().HTTPErrorHandler(c, err)
			}
		}
	}
	if !resp.Committed {
		send(resp, new(adapter.Seal), f)
	}
}

// send writes the answer of f to resp through s, which has not been used.
func send(resp *echo.Response, s *adapter.Seal, f *adapter.Refusal) {
	below, answer := resp.ResponseWriter, f.Verdict.Response
	w := s.Answering(below, f)
	resp.ResponseWriter = w
	resp.WriteHeader(answer.Status)
	resp.Status = answer.Status
	if len(answer.Body) > 0 { // a compressor would turn an empty body into a non-empty one
		_, _ = resp.Write(answer.Body) // an error means that the client has gone; the verdict stands
	}
	if resp.ResponseWriter == http.ResponseWriter(w) {
		resp.ResponseWriter = below
	}
}

// finishRefusal lets a refusal continue as an error, unless w holds back the answer and would drop
// it on an error, or it is not known what w does. In these cases it calls the error handler
// itself.
func finishRefusal(c *echo.Context, w http.ResponseWriter, known bool, err error) error {
	if err == nil || known && !adapter.HoldsBack(w) || !isRefusal(err) {
		return err
	}
	if resp, _ := response(c); !resp.Committed {
		resp.Committed = true
	}
	c.Echo().HTTPErrorHandler(c, err)
	return nil
}

func isRefusal(err error) bool {
	var d *core.Denial
	return errors.As(err, &d)
}

// response returns Echo's response of c, below the writers that middlewares have put around
// it. If they do not reveal it, known is false, and the result is a response around all of
// them.
func response(c *echo.Context) (resp *echo.Response, known bool) {
	w := c.Response()
	for range maxWrappers {
		switch t := w.(type) {
		case *echo.Response:
			return t, true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
			continue
		}
		break
	}
	resp = echo.NewResponse(c.Response(), c.Logger())
	c.SetResponse(resp)
	return resp, false
}

// maxWrappers is the maximum number of nested writers that are unwrapped.
const maxWrappers = 32
