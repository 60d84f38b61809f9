package adapter

import (
	"context"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// Matched holds what a router has matched, for a copy of the request
// ([core.Detacher]).
type Matched struct {
	route      core.Route
	err        error
	parameters []parameter
	fold       bool
}

type parameter struct{ name, value string }

// Matches records the results of r's Route, and of Param for names. fold means that
// the router ignores the letter case of parameter names.
func Matches(r core.Request, names []string, fold bool) Matched {
	m := Matched{fold: fold}
	m.route, m.err = r.Route()
	for _, name := range names {
		m.parameters = append(m.parameters, parameter{name, r.Param(name)})
	}
	return m
}

// Route returns the recorded result of [core.Request.Route].
func (m *Matched) Route() (core.Route, error) { return m.route, m.err }

// Param returns the recorded result of [core.Request.Param].
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

// detach returns a copy of r without body and form, and without its context's
// values.
func detach(r *http.Request) *http.Request {
	r = r.Clone(context.Background())
	r.Body, r.GetBody, r.Form, r.PostForm, r.MultipartForm, r.Response = http.NoBody, nil, nil, nil, nil, nil
	return r
}

// Detached is an independent copy of a net/http request, with the route that a
// framework's router has matched. Adapters return it from Detach.
type Detached struct {
	View
	Matched
}

// Detach copies r, with m as its route.
func Detach(r *http.Request, m Matched) *Detached { return &Detached{View{detach(r)}, m} }

// Route implements [core.Request].
func (d *Detached) Route() (core.Route, error) { return d.Matched.Route() }

// Param implements [core.Request].
func (d *Detached) Param(name string) string { return d.Matched.Param(name) }

// Detach implements [core.Detacher].
func (d *Detached) Detach() core.Request { return d }
