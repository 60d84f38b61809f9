// Package fasthttpauth is what adapters for frameworks on fasthttp share: it reads
// requests, writes responses and seals them, and notices when clients hang up. It
// knows fasthttp, core and what package routing finds. It is for authors of adapters;
// applications import fiberauth or fiberauth/fiberv3.
package fasthttpauth

import (
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Write writes a response, copying its body. Content-Type is among its fields.
func Write(ctx *fasthttp.RequestCtx, resp *core.Response) {
	to := &ctx.Response
	for i := range resp.Fields {
		if f := &resp.Fields[i]; f.Name != fasthttp.HeaderContentLength || len(resp.Body) == 0 { // the server sets that of a body
			addField(&to.Header, f)
		}
	}
	to.SetStatusCode(resp.Status)
	to.SetBody(resp.Body)
}

// AddFields adds fields from core and its schemes to the response: Vary is merged
// with what others have set, every challenge and cookie gets its own line, other
// fields replace existing ones. With a Cache-Control of no-store, as of refusals, fields
// that [adapter.TargetsCaches] names are removed.
func AddFields(h *fasthttp.ResponseHeader, fields ...core.Field) {
	for i := range fields {
		addField(h, &fields[i])
	}
}

func addField(h *fasthttp.ResponseHeader, f *core.Field) {
	if f.Value == "no-store" && named(f, fasthttp.HeaderCacheControl) {
		found := false
		deleteFields(h, func(name []byte) bool {
			if !found && string(name) == fasthttp.HeaderCacheControl { // which is replaced, unlike further lines
				found = true
				return false
			}
			return adapter.TargetsCaches(name) || is(name, fasthttp.HeaderCacheControl)
		})
	}
	name, value := adapter.Bytes(f)
	var line []byte // the first in the response
	switch string(name) {
	case fasthttp.HeaderContentType:
		h.SetContentTypeBytes(value)
		return
	case "": // not shared, and its name may not be canonical
		line = h.Peek(f.Name)
	case fasthttp.HeaderVary, fasthttp.HeaderAccessControlExposeHeaders, "Www-Authenticate", fasthttp.HeaderSetCookie:
		line = h.PeekCanonical(name)
	case fasthttp.HeaderCacheControl:
		if adapter.IsPrivate(f) {
			line = h.PeekCanonical(name)
		}
	}
	switch {
	case len(line) == 0 && name != nil:
		h.SetCanonical(name, value)
	case len(line) == 0:
		h.Set(f.Name, f.Value)
	case adapter.IsPrivate(f): // KeepFields completes it
	case named(f, fasthttp.HeaderVary), named(f, fasthttp.HeaderAccessControlExposeHeaders):
		if string(line) != f.Value { // of a gate before this one
			for _, member := range adapter.MissingMembers(linesOf(h, f.Name), f.Value) {
				h.Add(f.Name, member)
			}
		}
	case named(f, fasthttp.HeaderWWWAuthenticate), named(f, fasthttp.HeaderSetCookie):
		h.Add(f.Name, f.Value)
	default:
		h.Set(f.Name, f.Value)
	}
}

// named reports whether f has the name, in any letter case.
func named(f *core.Field, name string) bool {
	return len(f.Name) == len(name) && (f.Name == name || strings.EqualFold(f.Name, name))
}

// is reports whether a response's field has the name, in any letter case.
func is(field []byte, name string) bool {
	return len(field) == len(name) && strings.EqualFold(string(field), name)
}

func isAny(field []byte, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return is(field, name) })
}

// linesOf returns the lines of a field. fasthttp itself finds names in one letter case
// alone where it does not normalize them, and makes one line of all cookies.
func linesOf(h *fasthttp.ResponseHeader, name string) (lines []string) {
	for field, line := range h.All() {
		if is(field, name) {
			lines = append(lines, string(line))
		}
	}
	return lines
}

// deleteFields deletes the fields whose names are among those, as they are spelled.
func deleteFields(h *fasthttp.ResponseHeader, among func(name []byte) bool) {
	var names []string
	for name := range h.All() {
		if among(name) {
			names = append(names, string(name))
		}
	}
	if names == nil {
		return
	}
	raw := h.DisableNormalizing()
	for _, name := range names {
		h.Del(name)
	}
	if !raw {
		h.EnableNormalizing()
	}
}

// Undo removes from the response what gates have added and a concealed refusal must
// not show: the fields that [core.Verdict.Concealed] returns. Other lines keep their
// order, which would show it as well.
func Undo(h *fasthttp.ResponseHeader, fields []core.Field) {
	if len(fields) == 0 {
		return
	}
	var kept []pair
	for name, value := range h.All() {
		line := pair{string(name), string(value)}
		added := func(f core.Field) bool {
			return is(name, f.Name) && len(adapter.Without(&f, []string{line.value})) == 0
		}
		if !placed(name) && !slices.ContainsFunc(fields, added) {
			kept = append(kept, line)
		}
	}
	deleteFields(h, func(name []byte) bool { return !placed(name) })
	raw := h.DisableNormalizing()
	for _, line := range kept {
		h.Add(line.name, line.value)
	}
	if !raw {
		h.EnableNormalizing()
	}
}

// placed reports whether a field of fasthttp's own is always sent in the same place.
func placed(name []byte) bool {
	switch string(name) {
	case fasthttp.HeaderContentType, fasthttp.HeaderContentLength, fasthttp.HeaderContentEncoding,
		fasthttp.HeaderServer, fasthttp.HeaderConnection, fasthttp.HeaderTrailer:
		return true
	}
	return false
}
