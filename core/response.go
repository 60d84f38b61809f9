package core

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/kept"
	"github.com/sallyport-go/sallyport/core/internal/problem"
)

// Response is a response as data, which the adapter writes natively. Fields and
// Body may be shared between responses and must not be modified.
type Response struct {
	Status int
	// Fields lists the header fields in order. Vary and
	// Access-Control-Expose-Headers are merged with what others have set, and each
	// WWW-Authenticate and Set-Cookie is a line of its own; any other field
	// replaces what is set.
	Fields []Field
	Body   []byte
}

// Field is one header field line.
type Field struct {
	Name, Value string
	shared      *kept.Field // nil for a field of a single response
}

// sharedField returns a field that many responses share.
func sharedField(name, value string) Field {
	return Field{Name: name, Value: value, shared: kept.NewField(name, value)}
}

// Shared returns the part of f that responses share; nil if there is none, or if
// the name of f was changed after copying it. It is for package adapter.
func (f *Field) Shared() *kept.Field {
	if f.shared == nil || f.shared.Name != f.Name {
		return nil
	}
	return f.shared
}

const contentLength = "Content-Length"

// withheld reports whether a field of a responder is left out of refusals: a guard sets
// some itself, and caches obey others in place of the Cache-Control that it sets.
func withheld(name string) bool {
	return strings.EqualFold(name, "WWW-Authenticate") || strings.EqualFold(name, contentLength) || kept.TargetsCaches(name)
}

// render makes the response to d: the responder's, completed with what no response
// may lack. A responder may redirect a 401 to a sign-in page (303) or hide a
// refusal behind 404; any other status is corrected.
func (g *Guard) render(r Request, d *Denial) *Response {
	resp := g.respond(r, d)
	status := d.Kind.Status()
	switch {
	case resp.Status == http.StatusNotFound && (d.Kind == Unauthenticated || d.Kind == Forbidden):
	case resp.Status == http.StatusSeeOther && d.Kind == Unauthenticated:
	default:
		resp.Status = status
	}
	fields := make([]Field, 0, len(resp.Fields)+len(d.Challenges)+len(d.fields)+len(g.varyFields)+3)
	for _, f := range resp.Fields {
		if !withheld(f.Name) {
			fields = append(fields, f)
		}
	}
	if resp.Status == status {
		for _, c := range d.Challenges {
			fields = append(fields, Field{Name: "WWW-Authenticate", Value: c.String()})
		}
		if d.Kind == Unavailable || d.Kind == Limited {
			fields = append(fields, Field{Name: "Retry-After", Value: strconv.Itoa(int(math.Ceil(d.RetryAfter.Seconds())))})
		}
	}
	if resp.Status != http.StatusNotFound {
		fields = append(fields, d.fields...)
	}
	// With a known length the server itself drops what others append.
	fields = append(fields, noStore, Field{Name: contentLength, Value: strconv.Itoa(len(resp.Body))})
	fields = append(fields, g.varyFields...)
	resp.Fields = append(fields, g.corsFields(r)...)
	return &resp
}

// respond calls the guard's responder and recovers from its panic.
func (g *Guard) respond(r Request, d *Denial) (resp Response) {
	defer func() {
		if v := recover(); v != nil {
			g.log(context.Background(), slog.LevelError, "responder panicked", "panic", g.panicText(v))
			resp = new(defaultResponder).Respond(r, d)
		}
	}()
	return g.responder.Respond(r, d)
}

// defaultResponder responds with problem details.
type defaultResponder struct {
	bodies kept.Map[problem.Document, []byte]
}

var problemFields = []Field{sharedField("Content-Type", problem.MediaType), sharedField("X-Content-Type-Options", "nosniff")}

// Variants implements cacheableResponder: there is one.
func (d *defaultResponder) Variants() (of any, number func(Request) int) {
	return d, func(Request) int { return 0 }
}

func (d *defaultResponder) Respond(_ Request, denial *Denial) Response {
	doc := problem.Document{
		Status: denial.Kind.Status(), Detail: denial.Message, Error: denial.Code,
		Needs: problem.NeedsOf(denial.Code, denial.Challenges),
	}
	return Response{Status: doc.Status, Fields: problemFields, Body: kept.Body(&d.bodies, doc, problem.Document.JSON)}
}
