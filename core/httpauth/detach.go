package httpauth

import (
	"context"
	"net/http"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

var _ core.Detacher = View{}

// Detach implements [core.Detacher].
func (v View) Detach() core.Request { return View{detach(v.Request)} }

// detach is r without body and form, and without what its context holds.
func detach(r *http.Request) *http.Request {
	r = r.Clone(context.Background())
	r.Body, r.GetBody, r.Form, r.PostForm, r.MultipartForm, r.Response = http.NoBody, nil, nil, nil, nil, nil
	return r
}

// Detached is a copy of a request on net/http that stays what it is, with the
// route that a router of its own has matched. It is for adapters, which return it
// from Detach.
type Detached struct {
	View
	adapter.Matched
}

// Detach copies r and what a router says of it.
func Detach(r *http.Request, m adapter.Matched) *Detached { return &Detached{View{detach(r)}, m} }

// Route implements [core.Request].
func (d *Detached) Route() (core.Route, error) { return d.Matched.Route() }

// Param implements [core.Request].
func (d *Detached) Param(name string) string { return d.Matched.Param(name) }

// Detach implements [core.Detacher].
func (d *Detached) Detach() core.Request { return d }
