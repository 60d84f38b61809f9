package fasthttpauth

import (
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// cachingKey is the user value with the caching of a request.
type cachingKey struct{}

// caching is what gates and checks on the way of a request have decided about
// its answer. As a byte it becomes a user value without allocation.
type caching uint8

const (
	privateAnswer caching = iota // and where there is none
	sharedAnswer                 // the handler may have it in shared caches
	refusedInside                // the answer is a gate's own
)

func cachingOf(ctx *fasthttp.RequestCtx) caching {
	has, _ := ctx.UserValue(cachingKey{}).(caching)
	return has
}

// DecideCaching notes what a gate or check says that the request passes, the
// SharedCaching of its [core.Verdict]; the last one decides.
func DecideCaching(ctx *fasthttp.RequestCtx, shared bool) {
	switch {
	case shared:
		ctx.SetUserValue(cachingKey{}, sharedAnswer)
	case cachingOf(ctx) != privateAnswer:
		ctx.SetUserValue(cachingKey{}, privateAnswer)
	}
}

// checkedKey is the user value with the fields that checks have added.
type checkedKey struct{}

// PassCheck puts the fields of a check that the request passes into the response
// and has the gates in front of the handler keep them.
func PassCheck(ctx *fasthttp.RequestCtx, v *core.Verdict) {
	AddFields(&ctx.Response.Header, v.Fields...)
	DecideCaching(ctx, v.SharedCaching)
	if len(v.Fields) == 0 {
		return
	}
	KeepFields(ctx, v.Fields) // should there be no gate
	before, _ := ctx.UserValue(checkedKey{}).([]core.Field)
	ctx.SetUserValue(checkedKey{}, append(before[:len(before):len(before)], v.Fields...))
}

// KeepFields does for a response of fasthttp's what [adapter.KeepFields] does, when
// the handlers behind a gate have returned: nothing of a response is sent before,
// be it a stream.
func KeepFields(ctx *fasthttp.RequestCtx, fields []core.Field) {
	decided := cachingOf(ctx)
	if decided == refusedInside || Sealed(ctx) {
		return
	}
	h := &ctx.Response.Header
	keepEach(h, fields, decided == sharedAnswer)
	if checked, ok := ctx.UserValue(checkedKey{}).([]core.Field); ok {
		keepEach(h, checked, decided == sharedAnswer)
	}
}

func keepEach(h *fasthttp.ResponseHeader, fields []core.Field, shared bool) {
	if len(fields) == 0 || isKept(h, fields) { // a gate behind the first has none
		return
	}
	for i := range fields {
		f := &fields[i]
		switch {
		case named(f, fasthttp.HeaderVary):
			addField(h, f)
		case !adapter.IsPrivate(f):
		case len(h.Peek(f.Name)) == 0:
			addField(h, f)
		case !shared:
			makePrivate(h, f)
		}
		if adapter.IsPrivate(f) && !shared {
			for _, name := range adapter.TargetedCacheFields() {
				h.Del(name)
			}
		}
	}
}

// isKept reports whether a response says of caches what fields do and nothing else.
// fasthttp normalizes a name each time that it looks for one, so that one look at
// each line costs a tenth of a search for each of the names.
func isKept(h *fasthttp.ResponseHeader, fields []core.Field) bool {
	if len(fields) > 64 {
		return false
	}
	var missing uint64 // a bit for each of fields, so that one line twice is not two
	for i := range fields {
		if named(&fields[i], fasthttp.HeaderVary) || adapter.IsPrivate(&fields[i]) {
			missing |= 1 << i
		}
	}
	for name, value := range h.All() {
		if len(name) >= 32 || cacheLengths>>len(name)&1 == 0 {
			continue // as most of them
		}
		i := 0
		for i < len(fields) && (missing&(1<<i) == 0 || fields[i].Name != string(name) || fields[i].Value != string(value)) {
			i++
		}
		if i == len(fields) && concernsCaches(name) {
			return false
		}
		missing &^= 1 << i
	}
	return missing == 0
}

// cacheLengths has a bit for the length of each name that concerns caches.
var cacheLengths = func() (bits uint32) {
	for _, name := range append([]string{fasthttp.HeaderVary, fasthttp.HeaderCacheControl}, adapter.TargetedCacheFields()...) {
		bits |= 1 << len(name)
	}
	return bits
}()

// concernsCaches reports whether name, in any letter case, is that of a field which
// [adapter.KeepFields] looks at.
func concernsCaches(name []byte) bool {
	is := func(other string) bool { return len(name) == len(other) && strings.EqualFold(string(name), other) }
	return is(fasthttp.HeaderVary) || is(fasthttp.HeaderCacheControl) || slices.ContainsFunc(adapter.TargetedCacheFields(), is)
}

// makePrivate keeps shared caches from storing a response that says something of
// caches itself.
func makePrivate(h *fasthttp.ResponseHeader, f *core.Field) {
	lines := h.PeekAll(f.Name)
	if len(lines) == 1 && string(lines[0]) == f.Value {
		return
	}
	have := linesOf(h, f.Name)
	h.Del(f.Name)
	for _, line := range adapter.PrivateCacheControl(have) {
		h.Add(f.Name, line)
	}
}
