package adapter

import (
	"context"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// Matched is what a router has matched, kept for a copy of the request
// ([core.Detacher]).
type Matched struct {
	route      core.Route
	err        error
	parameters []parameter
	fold       bool
}

type parameter struct{ name, value string }

// Matches keeps what Route and Param of r say of the parameters called names. fold
// says that the router finds parameters in any letter case.
func Matches(r core.Request, names []string, fold bool) Matched {
	m := Matched{fold: fold}
	m.route, m.err = r.Route()
	for _, name := range names {
		m.parameters = append(m.parameters, parameter{name, r.Param(name)})
	}
	return m
}

// Route is what [core.Request.Route] has said.
func (m *Matched) Route() (core.Route, error) { return m.route, m.err }

// Param is what [core.Request.Param] has said.
func (m *Matched) Param(name string) string {
	for _, p := range m.parameters {
		if p.name == name || m.fold && strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	return ""
}

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
// route that a router of its own has matched. Adapters return it from Detach.
type Detached struct {
	View
	Matched
}

// Detach copies r and what a router says of it.
func Detach(r *http.Request, m Matched) *Detached { return &Detached{View{detach(r)}, m} }

// Route implements [core.Request].
func (d *Detached) Route() (core.Route, error) { return d.Matched.Route() }

// Param implements [core.Request].
func (d *Detached) Param(name string) string { return d.Matched.Param(name) }

// Detach implements [core.Detacher].
func (d *Detached) Detach() core.Request { return d }
