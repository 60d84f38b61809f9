package respond

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/kept"
)

// Negotiate answers in the format that suits the Accept field best
// (RFC 9110 §12.5.1). Among formats that suit equally well the earlier one is
// taken, and the first when there is no Accept, it cannot be read, or nothing
// in it is on offer: a denial keeps its status and never becomes 406.
//
// Every answer carries Vary: Accept (RFC 9110 §12.5.5). Of several Accept
// lines the first counts. Parameters of a media range other than q are
// ignored.
//
// Negotiate panics, so that a mistake shows at start-up, when a format is nil,
// names no media type or a malformed one, or sends the same type as another.
func Negotiate(first Format, others ...Format) core.Responder {
	n := &negotiated{formats: append([]Format{first}, others...)}
	if err := checkFormats(n.formats); err != nil {
		panic("respond.Negotiate: " + err.Error())
	}
	return n
}

func checkFormats[F offer](formats []F) error {
	var sent []string
	for i, f := range formats {
		if err := checkFormat(f, sent); err != nil {
			return fmt.Errorf("format %d: %w", i+1, err)
		}
		sent = append(sent, f.MediaTypes()[0])
	}
	return nil
}

// offer is what is chosen among: a [Format], or the page of a [Negotiated].
type offer interface{ MediaTypes() []string }

// checkFormat looks at one format; sent are the types of those before it.
func checkFormat(f offer, sent []string) error {
	if isnil.Value(f) {
		return errors.New("is nil")
	}
	types := f.MediaTypes()
	if len(types) == 0 {
		return fmt.Errorf("%T names no media type", f)
	}
	for _, t := range types {
		main, sub, _ := strings.Cut(t, "/")
		if !isName(main) || !isName(sub) {
			return fmt.Errorf("%T: media type %q is not type/subtype in lower case", f, t)
		}
	}
	if slices.Contains(sent, types[0]) {
		return fmt.Errorf("%T: another format sends %s already", f, types[0])
	}
	return nil
}

// isName reports whether s is a restricted name of RFC 6838 §4.2 in lower case.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || strings.IndexByte("!#$&-^_.+", c) < 0) {
			return false
		}
	}
	return s != ""
}

type negotiated struct{ formats []Format }

func (n *negotiated) Respond(r core.Request, d *core.Denial) core.Response {
	accept, _ := r.Header("Accept")
	resp := choose(n.formats, accept).Respond(r, d)
	resp.Fields = append(slices.Clip(resp.Fields), core.Field{Name: "Vary", Value: "Accept"})
	return resp
}

// Looks tells guards which answers are the same.
func (n *negotiated) Looks() (of any, look func(core.Request) int) {
	return n, func(r core.Request) int {
		accept, _ := r.Header("Accept")
		return lookOf(n.formats, choose(n.formats, accept))
	}
}

// lookOf is the place of a chosen format. One of the application's own may look
// at the request.
func lookOf[F offer](formats []F, chosen F) int {
	own, _ := any(chosen).(*format)
	for i, f := range formats {
		if own != nil && any(f) == any(own) {
			return i
		}
	}
	return kept.NoLook
}

// choose is the format with the highest quality. At the same quality a format
// that sends what was asked for goes before one that merely can be read.
func choose[F offer](formats []F, accept string) F {
	if accept == "" || accept == "*/*" {
		return formats[0]
	}
	if f, ok := named(formats, accept); ok {
		return f
	}
	ranges := parseAccept(accept)
	best, bestQ, bestSends := formats[0], 0, true
	for _, f := range formats {
		q, sends := suits(f, ranges)
		if q > bestQ || q == bestQ && sends && !bestSends {
			best, bestQ, bestSends = f, q, sends
		}
	}
	return best
}

// named is the choice for an Accept field that is one media type on offer, as
// most programs send it, without parsing.
func named[F offer](formats []F, accept string) (first F, ok bool) {
	for _, f := range formats {
		types := f.MediaTypes()
		if types[0] == accept {
			return f, true
		}
		if !ok && slices.Contains(types[1:], accept) {
			first, ok = f, true
		}
	}
	return first, ok
}

// suits is the quality of a format, and whether it is that of the type it
// sends. A client that excludes this type by name is not sent it for another.
func suits(f offer, ranges []mediaRange) (q int, sends bool) {
	types := f.MediaTypes()
	q, precision := quality(types[0], ranges)
	if q == 0 && precision == exact {
		return 0, false
	}
	sends = true
	for _, t := range types[1:] {
		if other, _ := quality(t, ranges); other > q {
			q, sends = other, false
		}
	}
	return q, sends
}
