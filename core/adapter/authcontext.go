package adapter

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/core"
)

// AuthContext is the state that a gate attaches to a request that has passed it, in a
// single allocation: the request with its new context, and the seal that closes
// when a later gate or a check refuses.
type AuthContext struct {
	core.Room
	// Seal is the response behind the gate.
	Seal     Seal
	request  http.Request
	encoding *string // Content-Encoding at the gate, nil for none
}

// Room starts an AuthContext for a request with the context ctx that has passed a gate.
// Only the view that an adapter passes to gates has a method Room that calls it:
// see [core.Room]. The gate's state in the context is then part of the AuthContext,
// which [Enter] completes. Behind another AuthContext it returns nil.
func Room(ctx context.Context) (*core.Room, context.Context) {
	if AuthContextFrom(ctx) != nil {
		return nil, nil
	}
	p := new(AuthContext)
	return &p.Room, p
}

// authContextKey is the context key of an AuthContext, which a middleware that wraps the
// response does not hide.
type authContextKey struct{}

// Value implements [context.Context].
func (p *AuthContext) Value(key any) any {
	if _, ok := key.(authContextKey); ok {
		return p
	}
	return p.Room.Value(key)
}

// AuthContextFrom returns the AuthContext of the request with the context ctx, or nil.
func AuthContextFrom(ctx context.Context) *AuthContext {
	p, _ := ctx.Value(authContextKey{}).(*AuthContext)
	return p
}

// Behind reports whether w writes to the seal of p, as far as Unwrap can tell.
func (p *AuthContext) Behind(w http.ResponseWriter) bool {
	for range maxWrappers {
		switch t := w.(type) {
		case *Seal:
			return t == &p.Seal
		case flushing:
			return t.Seal == &p.Seal
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
	return false
}

// maxWrappers is the maximum number of nested writers that are unwrapped.
const maxWrappers = 32

// HoldsBack reports whether a writer in front of the server buffers what is written
// to w until the handlers have returned. Such a writer is recognized by its
// inability to flush.
func HoldsBack(w http.ResponseWriter) bool {
	for range maxWrappers {
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			_, flushes := w.(http.Flusher)
			return !flushes
		}
		w = below.Unwrap()
	}
	return true // it wraps itself: unknown
}

// Belongs reports whether w is the response to p's request. A writer without Unwrap
// is assumed to be, unless r is another request with p's context, such as a part of
// a batch, which has a response of its own.
func (p *AuthContext) Belongs(w http.ResponseWriter, r *http.Request) bool {
	return p.Behind(w) || r.RequestURI == p.request.RequestURI && r.RemoteAddr == p.request.RemoteAddr && r.Method == p.request.Method
}

// Enter lets r pass a mounted gate with v, and returns the request for the handlers
// behind it. Their response is p.Seal, which wraps w, adds the fields of v and
// keeps those about caching ([KeepFields]). p is nil if w is already behind a gate:
// handlers then use w.
func Enter(w http.ResponseWriter, r *http.Request, v *core.Verdict) (p *AuthContext, passed *http.Request) {
	h := w.Header()
	p = AuthContextFrom(v.Context)
	if p != nil && p.Seal.w != nil && p.Behind(w) { // without w it is from Room
		AddFields(h, v.Fields)
		p.Join(v)
		return nil, WithContext(r, v.Context)
	}
	if p == nil || p.Seal.w != nil { // that of another response, by the same principal
		fields := v.Fields
		if p != nil {
			fields = slices.Concat(*p.Seal.fields, fields)
		}
		p = new(AuthContext)
		p.Context, p.Seal.fields = v.Context, &fields
		v.Context = p
	} else {
		p.Seal.fields = p.Fields()
	}
	if lines := h["Content-Encoding"]; len(lines) > 0 {
		encoding := strings.Join(lines, ", ")
		p.encoding = &encoding
	}
	AddFields(h, v.Fields)
	p.Seal.w, p.Seal.shared = w, v.SharedCaching
	p.request = *r.WithContext(v.Context)
	return p, &p.request
}

// Pass adds the fields of v, with which a request passes, to its response w. If the
// response belongs to an AuthContext, the fields are kept as by [Enter]; otherwise they
// are only added to the current header.
func Pass(w http.ResponseWriter, r *http.Request, v *core.Verdict) {
	h := w.Header()
	AddFields(h, v.Fields)
	p := AuthContextFrom(r.Context())
	if p == nil || !p.Belongs(w, r) {
		KeepFields(h, v.Fields, v.SharedCaching)
		return
	}
	p.Join(v)
}

// Join makes the response keep the fields of another gate or check too.
func (p *AuthContext) Join(v *core.Verdict) {
	p.Seal.shared = v.SharedCaching
	if len(v.Fields) > 0 {
		all := slices.Concat(*p.Seal.fields, v.Fields)
		p.Seal.fields = &all
	}
}

// Refusal is a refused request and how to answer it.
type Refusal struct {
	Verdict core.Verdict
	// Request is the request, for the log and for Answer.
	Request core.Request
	// Answer writes the answer to w.
	Answer func(w http.ResponseWriter, f *Refusal)

	header http.Header // of the response when it was sealed, if a handler may hold it
	shown  http.Header // what the seal has for header since
}

// wroteAfter tells the guard that something has written to the response since.
func (f *Refusal) wroteAfter() { f.Verdict.WroteAfter(f.Verdict.Context, f.Request) }

// Refuse answers a request that a gate or a check behind the AuthContext refuses, and
// seals the response. The caller writes to w; direct reports that w is the seal
// itself.
//
// A middleware between the gate and the handler that has wrapped the response may
// buffer or compress, so the response bypasses it: [Leave] writes it when the handlers
// have returned.
func (p *AuthContext) Refuse(f *Refusal, w http.ResponseWriter, direct bool) {
	switch {
	case p.Seal.Closed(): // refused already
	case !direct:
		if p.Behind(w) { // else it may be an abandoned handler, concurrent with the server
			f.header = p.Seal.heldHeader()
		}
		p.Seal.close(f, silent)
	default:
		p.answer(f)
		f.header = p.Seal.heldHeader()
		p.Seal.Close(f)
	}
}

// Leave must be called when the handlers behind the gate have returned or
// panicked. p and passed are what [Enter] returned for r; if a handler has put another
// request in place of passed, pass that one.
//
// r gets the form that handlers have parsed: net/http removes its files, and knows
// only the request that it made. After a refusal Leave restores the header, since a
// handler may have kept a reference: fields added by it would be sent late, or as
// trailers.
func Leave(p *AuthContext, r, passed *http.Request) {
	if r.MultipartForm == nil {
		r.MultipartForm = passed.MultipartForm
	}
	if p != nil {
		p.end()
	}
}

func (p *AuthContext) end() {
	p.Seal.Keep()
	p.Seal.ended = true
	if p.Seal.Closed() && p.Seal.late.header != nil {
		h := p.Seal.w.Header()
		clear(h)
		maps.Copy(h, p.Seal.late.header)
	}
	if p.Seal.current() == silent {
		p.answer(p.Seal.late)
	}
}

// answer writes the response below the seal, unless something has been sent
// already. Representation fields set by handlers do not apply to it.
func (p *AuthContext) answer(f *Refusal) {
	if p.Seal.wrote {
		return
	}
	h := p.Seal.w.Header()
	ClearRepresentation(h)
	if p.encoding != nil {
		h["Content-Encoding"] = []string{*p.encoding}
	}
	f.Answer(p.Seal.w, f)
}

// ClearRepresentation removes the [RepresentationFields], which describe a body
// that is not sent, except Content-Type and Content-Length.
func ClearRepresentation(h http.Header) {
	if len(h) == 0 {
		return
	}
	for _, name := range representation {
		delete(h, name)
	}
}

// RepresentationFields returns the fields that describe a representation or how it
// is sent (RFC 9110 §6.6.2, §8 and §14, RFC 9530), their older forms, and those by
// which servers in front send a file in its place, whatever the status.
func RepresentationFields() []string { return representation[:] }

var representation = [...]string{
	"Accept-Ranges", "Content-Digest", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-Md5",
	"Content-Range", "Digest", "Etag", "Last-Modified", "Repr-Digest", "Trailer", "Transfer-Encoding",
	"X-Accel-Redirect", "X-Lighttpd-Send-File", "X-Litespeed-Location", "X-Reproxy-File", "X-Reproxy-Url",
	"X-Sendfile", "X-Sendfile-Temporary", "X-Sendfile2",
}

// Batch hands out zero values that are allocated several at a time, each only once.
// It saves requests most of their allocations of a T.
type Batch[T any] struct{ pool sync.Pool }

// batchSize is the least number of values allocated at a time. While one is in use, all
// stay in memory.
const batchSize = 16

// New returns one value.
func (b *Batch[T]) New() *T {
	left, _ := b.pool.Get().(*[]T)
	if left == nil {
		all := slices.Grow([]T(nil), batchSize)
		all = all[:cap(all)] // as many as the allocator has taken memory for
		left = &all
	}
	v := &(*left)[0]
	if *left = (*left)[1:]; len(*left) > 0 {
		b.pool.Put(left)
	}
	return v
}
