// Package respond has the looks a denial can have: problem details, plain
// JSON, plain text, and a choice among them by what the client accepts.
//
//	core.NewGuard(schemes, core.WithResponder(respond.Negotiate(respond.Problem(), respond.Text())))
//
// A responder makes status, Content-Type and body alone. Challenges,
// Cache-Control, Retry-After and the Vary of the schemes are the guard's.
// Bodies tell the public code and message of a denial and nothing else.
//
// All responders here are immutable and safe for concurrent use. They keep the
// bodies they have rendered: fields and body of a [core.Response] are shared
// between requests and must not be modified.
package respond

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/problem"
)

// Format is a responder whose answers have media types known beforehand, so
// that [Negotiate] can choose it.
type Format interface {
	core.Responder
	// MediaTypes are "type/subtype" in lower case, without parameters. The
	// first is what the format sends; the rest are types whose readers can do
	// with it when no other format fits them better. The result must not
	// change and must not be modified.
	MediaTypes() []string
}

// Problem answers with problem details (RFC 9457), as a guard does by default:
//
//	{"title":"Forbidden","status":403,"detail":"…","error":"forbidden"}
//
// The type is about:blank, so title is the status phrase; detail is the
// denial's message and the extension member error its stable code.
func Problem() Format {
	return newFormat(problem.Render, problem.MediaType, problem.MediaType, "application/json")
}

// JSON answers with a plain object:
//
//	{"error":"forbidden","message":"…"}
func JSON() Format { return newFormat(renderJSON, "application/json", "application/json") }

// Text answers with the message in one line of UTF-8 text, for people and
// logs. Control characters in the message become spaces.
func Text() Format { return newFormat(renderText, "text/plain; charset=utf-8", "text/plain") }

type format struct {
	mediaTypes []string
	fields     []core.Field
	bodies     *problem.Bodies
}

func newFormat(render func(int, string, string) []byte, contentType string, mediaTypes ...string) *format {
	return &format{
		mediaTypes: mediaTypes,
		fields:     []core.Field{{Name: "Content-Type", Value: contentType}, {Name: "X-Content-Type-Options", Value: "nosniff"}},
		bodies:     problem.NewBodies(render),
	}
}

func (f *format) MediaTypes() []string { return f.mediaTypes }

func (f *format) Respond(_ core.Request, d *core.Denial) core.Response {
	status := d.Kind.Status()
	return core.Response{Status: status, Fields: f.fields, Body: f.bodies.Body(status, d.Code, d.Message)}
}

func renderJSON(_ int, code, message string) []byte {
	b, _ := json.Marshal(struct { // strings always marshal
		Error   string `json:"error"`
		Message string `json:"message"`
	}{code, message})
	return append(b, '\n')
}

func renderText(status int, _, message string) []byte {
	if message == "" {
		message = http.StatusText(status)
	}
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(message, "\uFFFD"))
	return []byte(line + "\n")
}
