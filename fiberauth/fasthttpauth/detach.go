package fasthttpauth

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Detach returns a copy of the request without its body, for the Detach method of
// [core.Detacher]. method is the router's, m what the router has matched.
func (v *View) Detach(method string, m adapter.Matched) core.Request {
	d := &detached{
		Matched: m, method: method, target: v.Target(), host: v.Host(),
		tls: v.TLS(), peer: v.RemoteAddr(),
	}
	for name, value := range v.ctx.Request.Header.All() {
		field := pair{string(name), string(value)} // twice if it counts twice
		if d.fields = append(d.fields, field); v.doubted(field.name, 1) > 1 {
			d.fields = append(d.fields, field)
		}
	}
	for name, value := range v.ctx.Request.Header.Cookies() {
		d.cookies = append(d.cookies, pair{string(name), string(value)})
	}
	for name, value := range v.ctx.QueryArgs().All() {
		d.queries = append(d.queries, pair{string(name), string(value)})
	}
	return d
}

type pair struct{ name, value string }

// detached is a copy of a request, independent of fasthttp.
type detached struct {
	adapter.Matched
	method, target, host, peer string
	tls                        *tls.ConnectionState
	fields, cookies, queries   []pair
}

var (
	_ core.BodyReader = (*detached)(nil)
	_ core.Detacher   = (*detached)(nil)
)

func (d *detached) Method() string            { return d.method }
func (d *detached) Target() string            { return d.target }
func (d *detached) Host() string              { return d.host }
func (d *detached) TLS() *tls.ConnectionState { return d.tls }
func (d *detached) RemoteAddr() string        { return d.peer }
func (d *detached) Body() io.Reader           { return http.NoBody }
func (d *detached) Detach() core.Request      { return d }

func (d *detached) Header(name string) (string, int) {
	return find(d.fields, func(n string) bool { return strings.EqualFold(n, name) })
}

func (d *detached) Cookie(name string) (string, int) {
	return find(d.cookies, func(n string) bool { return n == name })
}

func (d *detached) Query(name string) (string, int) {
	return find(d.queries, func(n string) bool { return n == name })
}

// find returns the first value with a name, and how many there are.
func find(pairs []pair, named func(string) bool) (value string, count int) {
	for i := range pairs {
		if named(pairs[i].name) {
			if count == 0 {
				value = pairs[i].value
			}
			count++
		}
	}
	return value, count
}
