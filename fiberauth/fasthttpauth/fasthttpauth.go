// Package fasthttpauth is what adapters for frameworks on fasthttp share: it reads
// requests, writes responses and seals them, and notices when clients hang up. It
// knows fasthttp, core and what package routing finds. It is for authors of adapters;
// applications import fiberauth or fiberauth/fiberv3.
package fasthttpauth

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Write writes a response, copying its body. Content-Type is among its fields.
func Write(to *fasthttp.Response, resp *core.Response) {
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
// fields replace existing ones.
func AddFields(h *fasthttp.ResponseHeader, fields ...core.Field) {
	for i := range fields {
		addField(h, &fields[i])
	}
}

func addField(h *fasthttp.ResponseHeader, f *core.Field) {
	name, value := adapter.Bytes(f)
	var line []byte // the first in the response
	switch string(name) {
	case "": // not shared, and its name may not be canonical
		line = h.Peek(f.Name)
	case fasthttp.HeaderVary, fasthttp.HeaderAccessControlExposeHeaders, "Www-Authenticate", fasthttp.HeaderSetCookie, fasthttp.HeaderCacheControl:
		line = h.PeekCanonical(name)
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

func linesOf(h *fasthttp.ResponseHeader, name string) []string {
	var lines []string
	for _, line := range h.PeekAll(name) {
		lines = append(lines, string(line))
	}
	return lines
}

// Undo removes from the response what gates have added and a concealed refusal must
// not show: the fields that [core.Verdict.Concealed] returns.
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
