package respond

import (
	"fmt"
	"html/template"
	"slices"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/kept"
	"github.com/sallyport-go/sallyport/core/option"
)

// Negotiated answers each client in a suitable format. It is created by [New],
// immutable and safe for concurrent use.
type Negotiated struct {
	formats []offer // formats for programs, then pages
	browser []offer // the same with pages first
	page    *page
	login   *login
	idField string
	fields  []core.Field // of every response
}

// New returns the responder that most applications want:
//
//   - Programs get problem details, also as application/json, when Accept says
//     so, says "*/*", is absent, or fits nothing on offer: a denial keeps its
//     status and is never 406. [WithAPI] puts other formats in their place.
//   - Whoever prefers text/plain gets one line of text.
//   - Whoever prefers text/html gets a page, as does a browser that opens one
//     (Sec-Fetch-Mode: navigate, or Sec-Fetch-Dest: document) unless its Accept
//     prefers something else. The page says what to do next: sign in, use
//     another account, ask somebody ([WithContact]), or wait.
//
// The status is always the denial's own, except that [WithSignInRedirect] redirects
// people who open a page to the sign-in page with 303. Every response has
// X-Robots-Tag: noindex and lists in Vary the fields that decided its format. Only
// the first Accept line counts.
//
// A request ID in X-Request-Id is repeated as the problem's instance, and in the
// other formats as text; see [WithRequestID].
//
// New returns an error for any configuration that cannot work, such as a template
// that fails or a sign-in page on another site, so that none fails at request time.
func New(opts ...Option) (*Negotiated, error) {
	s := settings{
		api:     []Format{Problem()},
		texts:   []Texts{English()},
		style:   Style(),
		idField: "X-Request-Id",
	}
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("respond: %w", err)
	}
	n, err := s.assemble()
	if err != nil {
		return nil, fmt.Errorf("respond: %w", err)
	}
	return n, nil
}

// settings holds what options set.
type settings struct {
	api      []Format
	texts    []Texts
	template *template.Template
	style    string
	policy   string // Content-Security-Policy, or "" for the strict one
	idField  string

	signIn, switchAccount string
	login                 *login // nil for no redirect
	contact               Link
}

func (s *settings) assemble() (*Negotiated, error) {
	p, err := newPage(s)
	if err != nil {
		return nil, err
	}
	n := &Negotiated{page: p, login: s.login, idField: s.idField}
	for _, f := range s.api {
		n.formats = append(n.formats, f)
	}
	if !slices.ContainsFunc(n.formats, sends("text/plain")) {
		n.formats = append(n.formats, Text())
	}
	n.browser = append([]offer{p}, n.formats...)
	n.formats = append(n.formats, p)
	if err := checkFormats(n.formats); err != nil {
		return nil, err
	}
	vary := "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest"
	if n.login != nil {
		vary += ", X-Requested-With, Authorization"
	}
	n.fields = []core.Field{{Name: "X-Robots-Tag", Value: "noindex"}, {Name: "Vary", Value: vary}}
	return n, nil
}

// sends returns a function that reports whether a format sends mediaType.
func sends(mediaType string) func(offer) bool {
	return func(f offer) bool {
		return checkFormat(f, nil) == nil && f.MediaTypes()[0] == mediaType
	}
}

// Respond implements [core.Responder].
func (n *Negotiated) Respond(r core.Request, d *core.Denial) core.Response {
	f := n.choose(r)
	var resp core.Response
	if location := n.login.location(r, d); location != "" && f == n.page {
		resp = seeOther(location)
	} else {
		resp = n.answer(f, r, d)
	}
	resp.Fields = append(slices.Clip(resp.Fields), n.fields...)
	return resp
}

// Variants tells guards which responses are the same, so that they make each once:
// of is n, and number gives the variant for a request; a negative number means that
// the response is made for this request only. Pages, responses with a request ID, and
// responses to browsers, which mostly get a page, are never shared.
func (n *Negotiated) Variants() (of any, number func(core.Request) int) {
	return n, func(r core.Request) int {
		if opensPage(r) || requestID(r, n.idField) != "" {
			return kept.NoVariant
		}
		return variantOf(n.formats, n.choose(r))
	}
}

// choose returns the format for a client.
func (n *Negotiated) choose(r core.Request) offer {
	accept, _ := r.Header("Accept")
	if opensPage(r) {
		return choose(n.browser, accept)
	}
	return choose(n.formats, accept)
}

// opensPage reports whether a browser says that it opens a page or a frame, rather
// than that a script or an element of a page made the request (Fetch Metadata,
// "Sec-Fetch-Mode", "Sec-Fetch-Dest").
func opensPage(r core.Request) bool {
	mode, modes := r.Header("Sec-Fetch-Mode")
	dest, dests := r.Header("Sec-Fetch-Dest")
	switch {
	case modes > 1 || dests > 1:
		return false
	case modes == 1:
		return mode == "navigate"
	}
	return dest == "document"
}

// answer returns d in format f. If a template fails, the format for programs is
// used, so that nobody gets half a page.
func (n *Negotiated) answer(f offer, r core.Request, d *core.Denial) core.Response {
	id := requestID(r, n.idField)
	if f == n.page {
		if resp, err := n.page.respond(r, d, id); err == nil {
			return resp
		}
		f = n.formats[0]
	}
	if own, ok := f.(*format); ok {
		return own.respond(d, id)
	}
	return f.(core.Responder).Respond(r, d) // every offer but the page is a Format
}
