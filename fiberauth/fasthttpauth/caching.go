package fasthttpauth

import (
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// cachingKey is the user value that holds the caching of a response.
type cachingKey struct{}

// caching is what the gates and checks of a request have decided about caching its
// response. As a byte it becomes a user value without allocation.
type caching uint8

const (
	privateAnswer caching = iota // also if there is no such user value
	sharedAnswer                 // the handler may let shared caches store it
	refusedInside                // the gate itself wrote the response
)

func cachingOf(ctx *fasthttp.RequestCtx) caching {
	has, _ := ctx.UserValue(cachingKey{}).(caching)
	return has
}

// DecideCaching records the SharedCaching of a [core.Verdict] that lets the request
// pass; the last one decides.
func DecideCaching(ctx *fasthttp.RequestCtx, shared bool) {
	switch {
	case shared:
		ctx.SetUserValue(cachingKey{}, sharedAnswer)
	case cachingOf(ctx) != privateAnswer:
		ctx.SetUserValue(cachingKey{}, privateAnswer)
	}
}

// checkedKey is the user value that holds the fields added by checks.
type checkedKey struct{}

// PassCheck adds the fields of a check that lets the request pass to the response,
// and makes the gates in front of the handler keep them.
func PassCheck(ctx *fasthttp.RequestCtx, v *core.Verdict) {
	AddFields(&ctx.Response.Header, v.Fields...)
	DecideCaching(ctx, v.SharedCaching)
	if len(v.Fields) == 0 {
		return
	}
	KeepFields(ctx, v.Fields) // in case there is no gate
	before, _ := ctx.UserValue(checkedKey{}).([]core.Field)
	ctx.SetUserValue(checkedKey{}, append(before[:len(before):len(before)], v.Fields...))
}

// KeepFields does for a fasthttp response what [adapter.KeepFields] does. It must be called
// when the handlers behind a gate have returned or panicked. Nothing of a response is sent
// before that, not even of a stream.
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
		case !shared:
			makePrivate(h, f)
			deleteFields(h, adapter.TargetsCaches)
		case len(h.Peek(f.Name)) == 0:
			addField(h, f)
		}
	}
}

// isKept reports whether a response says exactly what fields say about caches.
// fasthttp normalizes a name on each lookup, so looking at each line once costs a
// tenth of a lookup for each name.
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
		if len(name) == 0 || !endsNameForCaches(name[len(name)-1]) {
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

// endsNameForCaches reports whether a name that concerns caches may end in c: those of
// Vary, of each Control and of X-Accel-Expires do.
func endsNameForCaches(c byte) bool { c |= 0x20; return c == 'y' || c == 'l' || c == 's' }

// concernsCaches reports whether name, in any letter case, is that of a field that
// [adapter.KeepFields] looks at.
func concernsCaches(name []byte) bool {
	return is(name, fasthttp.HeaderVary) || is(name, fasthttp.HeaderCacheControl) || adapter.TargetsCaches(name)
}

// makePrivate keeps shared caches from storing a response.
func makePrivate(h *fasthttp.ResponseHeader, f *core.Field) {
	lines := linesOf(h, f.Name)
	if len(lines) == 1 && lines[0] == f.Value {
		return
	}
	deleteFields(h, func(name []byte) bool { return is(name, f.Name) })
	for _, line := range adapter.PrivateCacheControl(lines) {
		h.Add(f.Name, line)
	}
}
