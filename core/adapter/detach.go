package adapter

import (
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
