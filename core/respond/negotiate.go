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

// Negotiate returns a responder that answers in the format that matches the Accept
// field best (RFC 9110 §12.5.1). Among equally good formats it takes the earlier
// one, and the first if Accept is missing, malformed or matches none: a denial
// keeps its status and never becomes 406.
//
// Every response has Vary: Accept (RFC 9110 §12.5.5). Only the first Accept line
// counts. Parameters of a media range other than q are ignored.
//
// Negotiate panics, so that a mistake shows at start-up, if a format is nil, names
// no media type or a malformed one, or sends the same type as another.
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

// offer is one of the alternatives: a [Format], or the page of a [Negotiated].
type offer interface{ MediaTypes() []string }

// checkFormat checks one format; sent lists the types of those before it.
func checkFormat(f offer, sent []string) error {
	if isnil.Value(f) {
		return errors.New("is nil")
	}
	types := f.MediaTypes()
	if len(types) == 0 {
		return fmt.Errorf("%T has no media type", f)
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

// Variants tells guards which responses are the same.
func (n *negotiated) Variants() (of any, number func(core.Request) int) {
	return n, func(r core.Request) int {
		accept, _ := r.Header("Accept")
		return variantOf(n.formats, choose(n.formats, accept))
	}
}

// variantOf returns the index of a chosen format, or a negative number for one of the
// application, which may depend on the request.
func variantOf[F offer](formats []F, chosen F) int {
	own, _ := any(chosen).(*format)
	for i, f := range formats {
		if own != nil && any(f) == any(own) {
			return i
		}
	}
	return kept.NoVariant
}

// choose returns the format with the highest quality. At equal quality a format
// that sends the requested type precedes one that is merely compatible.
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

// named chooses without parsing if the Accept field is a single offered media type,
// as most programs send it.
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

// suits returns the quality of a format, and reports whether it is the quality of
// the type that it sends. A client that excludes this type by name does not get it
// in place of another.
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
