package echoauth

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// refused is a refused request, in one piece of memory.
type refused struct {
	adapter.Refusal
	seal   adapter.Seal
	sealed echo.Response
	err    echo.HTTPError
	during adapter.Answering
}

var refusals adapter.Batch[refused]

// newRefused is a refusal by v. The error is for the framework.
func newRefused(c *echo.Context, view *view, v *core.Verdict) *refused {
	f := refusals.New()
	f.Verdict, f.Request, f.Answer = *v, view, answer
	if v.Denial != nil {
		err, _ := echo.HTTPError{Code: v.Response.Status, Message: v.Denial.Code}.Wrap(v.Denial).(*echo.HTTPError)
		f.err = *err
	}
	return f
}

// error is what the framework is given; a preflight is none.
func (f *refused) error() error {
	if f.Verdict.Denial == nil {
		return nil
	}
	return &f.err
}

// refuse answers by a gate's verdict and seals the response. When headers are
// sent already it can only seal. What hides a route may be the error of an
// unknown one, which goes the way of that.
func (f *refused) refuse(c *echo.Context) error {
	if p := adapter.PassageFrom(c.Request().Context()); p != nil {
		p.Seal.Release()
	}
	resp, known := response(c)
	if native, undo, ok := f.Verdict.Concealed(); ok && !resp.Committed {
		adapter.RemoveFields(resp.Header(), undo)
		if h, err := notFound(native); err == nil { // mount has seen to that
			wrapped := c.Response() != http.ResponseWriter(resp)
			if err := h(c); err != nil {
				return err
			}
			if wrapped { // what hides the route looks as it would for an unknown one
				return f.cover(c, resp)
			}
		}
	}
	w := resp.ResponseWriter
	if !resp.Committed {
		send(resp, &f.during, f.Verdict.Response)
	}
	f.close(c, resp)
	return settle(c, w, known, f.error())
}

// cover seals what stands around the response and has not sent all of it yet,
// which is why the error handler is told here.
func (f *refused) cover(c *echo.Context, resp *echo.Response) error {
	f.seal.Wrap(c.Response())
	f.seal.End()
	f.seal.Close(&f.Refusal)
	f.setSealed(c, resp, &f.seal)
	if err := f.error(); err != nil {
		c.Echo().HTTPErrorHandler(c, err)
	}
	return nil
}

// refuseInside answers by a check's verdict and seals the response.
func (f *refused) refuseInside(c *echo.Context) error {
	resp, _ := response(c)
	p := adapter.PassageFrom(c.Request().Context())
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
		// A middleware around the response may hold something back for the seal
		// below it, which drops it and tells nobody.
		f.answerLater(c)
		p.Refuse(&f.Refusal, c.Response(), false)
		resp.Status, resp.Committed = f.Verdict.Response.Status, true
		f.seal.Wrap(resp.ResponseWriter)
		f.seal.End()
		f.seal.Close(&f.Refusal)
		f.setSealed(c, resp, &f.seal)
	default:
		p.Refuse(&f.Refusal, c.Response(), true)
		resp.Committed = true
		f.setSealed(c, resp, resp.ResponseWriter)
	}
	return f.error()
}

// close seals resp, which is that of c, with a seal of f's own.
func (f *refused) close(c *echo.Context, resp *echo.Response) {
	f.seal.Wrap(resp.ResponseWriter)
	f.seal.End()
	f.seal.Close(&f.Refusal)
	resp.ResponseWriter, resp.Committed = &f.seal, true
	f.setSealed(c, resp, &f.seal)
}

// setSealed makes a sealed writer the response of c, in one that shows what resp
// was sent. A middleware that puts back the writer it found does so in the
// response it found, or the response into the context: either stays sealed.
func (f *refused) setSealed(c *echo.Context, resp *echo.Response, w http.ResponseWriter) {
	f.sealed = *echo.NewResponse(w, c.Logger())
	f.sealed.Status, f.sealed.Size, f.sealed.Committed = resp.Status, resp.Size, true
	c.SetResponse(&f.sealed)
}

// answerLater has the answer written in a context of its own: c may be another
// request's by then, if an app behind a gate serves this one.
func (f *refused) answerLater(c *echo.Context) {
	later := c.Echo().NewContext(c.Request(), nil)
	f.Answer = func(w http.ResponseWriter, f *adapter.Refusal) { answerIn(later, w, f) }
}

// answer writes the answer to w while the request is being handled.
func answer(w http.ResponseWriter, f *adapter.Refusal) {
	view, _ := f.Request.(*view)
	answerIn(view.c, w, f)
}

// answerIn writes the answer to w, whatever stands around the response by now.
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
		send(resp, new(adapter.Answering), f.Verdict.Response)
	}
}

// send writes an answer to resp by w.
func send(resp *echo.Response, w *adapter.Answering, answer *core.Response) {
	w.Begin(resp.ResponseWriter, answer)
	resp.ResponseWriter = w
	resp.WriteHeader(answer.Status)
	resp.Status = answer.Status
	if len(answer.Body) > 0 { // a compressor would make a body of none
		_, _ = resp.Write(answer.Body) // the client has gone; the verdict stands
	}
	if resp.ResponseWriter == http.ResponseWriter(w) {
		resp.ResponseWriter = w.ResponseWriter
	}
}

// settle lets a refusal go on as an error, except where w holds back the answer
// and would drop it for an error, or where it is not known what w does. There
// the error handler is told here.
func settle(c *echo.Context, w http.ResponseWriter, known bool, err error) error {
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

// response is Echo's response to c, below the writers that middlewares have put
// around it. Where those do not show it, known is false, and it is one around
// all of them.
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

// maxWrappers is how many writers around each other are looked through.
const maxWrappers = 32
