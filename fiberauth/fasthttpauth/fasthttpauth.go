// Package fasthttpauth is what adapters for frameworks on fasthttp share: it
// reads requests, writes answers, seals them and sees clients hang up. It knows
// fasthttp and core and no framework, and is for authors of adapters;
// applications import fiberauth or fiberauth/fiberv3.
package fasthttpauth

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Write writes an answer. Content-Type is among its fields.
func Write(to *fasthttp.Response, resp *core.Response) {
	AddFields(&to.Header, resp.Fields...)
	to.SetStatusCode(resp.Status)
	to.SetBody(resp.Body)
}

// AddFields puts fields that core and its schemes give out into the response:
// Vary is merged with what others have set, every challenge and cookie gets its
// own line, other names replace.
func AddFields(h *fasthttp.ResponseHeader, fields ...core.Field) {
	for i := range fields {
		f := &fields[i]
		switch {
		case adapter.IsPrivate(f) && has(h, f.Name): // KeepFields completes it
		case named(f, fasthttp.HeaderVary), named(f, fasthttp.HeaderAccessControlExposeHeaders):
			merge(h, f)
		case named(f, fasthttp.HeaderWWWAuthenticate) && !has(h, f.Name):
			set(h, f)
		case named(f, fasthttp.HeaderWWWAuthenticate), named(f, fasthttp.HeaderSetCookie):
			h.Add(f.Name, f.Value)
		default:
			set(h, f)
		}
	}
}

// named reports whether f has the name, in any letter case.
func named(f *core.Field, name string) bool {
	return len(f.Name) == len(name) && (f.Name == name || strings.EqualFold(f.Name, name))
}

func set(h *fasthttp.ResponseHeader, f *core.Field) {
	if name, value := adapter.Bytes(f); name != nil {
		h.SetCanonical(name, value)
	} else {
		h.Set(f.Name, f.Value)
	}
}

// has reports whether a response may have a field, which fasthttp takes longer to
// say: it normalizes the name.
func has(h *fasthttp.ResponseHeader, name string) bool {
	for key := range h.All() {
		if len(key) == len(name) && strings.EqualFold(string(key), name) {
			return true
		}
	}
	return false
}

// merge adds the members of f that the response lacks, whatever their letter
// case is.
func merge(h *fasthttp.ResponseHeader, f *core.Field) {
	if !has(h, f.Name) {
		set(h, f)
		return
	}
	lines := h.PeekAll(f.Name)
	switch {
	case len(lines) == 0:
		set(h, f)
	case string(lines[0]) == f.Value: // of a gate before this one
	default:
		for _, member := range adapter.MissingMembers(linesOf(h, f.Name), f.Value) {
			h.Add(f.Name, member)
		}
	}
}

func linesOf(h *fasthttp.ResponseHeader, name string) []string {
	var lines []string
	for _, line := range h.PeekAll(name) {
		lines = append(lines, string(line))
	}
	return lines
}

// Undo takes out of the response what gates have added that a concealed refusal
// must not show: the fields that [core.Verdict.Concealed] gives.
func Undo(h *fasthttp.ResponseHeader, fields []core.Field) {
	for i := range fields {
		f := &fields[i]
		kept := adapter.Without(f, linesOf(h, f.Name))
		h.Del(f.Name)
		for _, line := range kept {
			h.Add(f.Name, line)
		}
	}
}
