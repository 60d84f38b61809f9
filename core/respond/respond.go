// Package respond provides the formats of a denial: problem details, JSON, text and
// pages for browsers, and ways to choose among them by client.
//
//	answers, err := respond.New(respond.WithSignInRedirect("/login"))
//	…
//	core.NewGuard(schemes, core.WithResponder(answers))
//
// [New] is what most applications want. [Negotiate] chooses among formats by
// Accept alone.
//
// A responder sets only status, Content-Type and body. The guard adds challenges,
// Cache-Control, Retry-After and the Vary of the schemes. Bodies contain the public
// code and message of a denial, what its challenge says the request needs, and
// nothing else.
//
// All responders here are immutable and safe for concurrent use. They keep the
// bodies they have rendered: fields and body of a [core.Response] are shared
// between requests and must not be modified.
package respond

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/kept"
	"github.com/sallyport-go/sallyport/core/internal/problem"
)

// Format is a responder whose media types are known in advance, so that [New] and
// [Negotiate] can choose it.
type Format interface {
	core.Responder
	// MediaTypes returns types as "type/subtype" in lower case, without parameters.
	// The first is what the format sends; the rest are types whose readers can
	// handle it if no other format matches better. The result must not change and
	// must not be modified.
	MediaTypes() []string
}

// Problem returns a responder for problem details (RFC 9457), the default of a
// guard:
//
//	{"title":"Forbidden","status":403,"detail":"…","error":"forbidden"}
//
// The type is about:blank, so title is the status phrase; detail is the denial's
// message and the extension member error its stable code. If the challenge names
// what the request needs, the members scope, acr_values and max_age repeat it (RFC
// 6750 §3, RFC 9470 §3).
func Problem() Format {
	return newFormat(renderProblem, problem.MediaType, problem.MediaType, "application/json")
}

// JSON returns a responder for a plain object:
//
//	{"error":"forbidden","message":"…"}
//
// It has the members scope, acr_values and max_age like [Problem], and request_id
// in place of instance.
func JSON() Format { return newFormat(renderJSON, "application/json", "application/json") }

// Text returns a responder for the message in one line of UTF-8 text, for people
// and logs. Control characters in the message become spaces.
func Text() Format { return newFormat(renderText, "text/plain; charset=utf-8", "text/plain") }

type format struct {
	mediaTypes []string
	fields     []core.Field
	render     func(doc problem.Document, id string) []byte
	bodies     kept.Map[problem.Document, []byte]
}

func newFormat(render func(problem.Document, string) []byte, contentType string, mediaTypes ...string) *format {
	return &format{
		mediaTypes: mediaTypes,
		fields:     []core.Field{{Name: "Content-Type", Value: contentType}, {Name: "X-Content-Type-Options", Value: "nosniff"}},
		render:     render,
	}
}

func (f *format) MediaTypes() []string { return f.mediaTypes }

func (f *format) Respond(_ core.Request, d *core.Denial) core.Response { return f.respond(d, "") }

// Variants tells guards that there is one.
func (f *format) Variants() (of any, number func(core.Request) int) {
	return f, func(core.Request) int { return 0 }
}

// respond returns the response to d; id is the request's, or "". A body with an ID
// is needed once and is not kept.
func (f *format) respond(d *core.Denial, id string) core.Response {
	doc := problem.Document{Status: d.Kind.Status(), Error: d.Code, Detail: d.Message, Needs: problem.NeedsOf(d.Code, d.Challenges)}
	resp := core.Response{Status: doc.Status, Fields: f.fields}
	if id != "" {
		resp.Body = f.render(doc, id)
	} else {
		resp.Body = kept.Body(&f.bodies, doc, func(doc problem.Document) []byte { return f.render(doc, "") })
	}
	return resp
}

func renderProblem(doc problem.Document, id string) []byte {
	doc.Instance = instance(id)
	return doc.JSON()
}

func renderJSON(doc problem.Document, id string) []byte {
	b, _ := json.Marshal(struct { // strings and numbers always marshal
		Error     string `json:"error"`
		Message   string `json:"message"`
		RequestID string `json:"request_id,omitempty"`
		problem.Needs
	}{doc.Error, doc.Detail, id, doc.Needs})
	return append(b, '\n')
}

func renderText(doc problem.Document, id string) []byte {
	message := cmp.Or(doc.Detail, http.StatusText(doc.Status))
	line := oneLine(message)
	if id != "" {
		line += "\nRequest ID: " + id
	}
	return []byte(line + "\n")
}

// oneLine returns s as UTF-8 with control characters replaced by spaces.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
