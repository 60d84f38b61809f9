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

// Passage is what a gate leaves with a request that has passed it, in one piece
// of memory: the request with its new context, and the seal that closes when a
// later gate or a check refuses.
type Passage struct {
	context.Context
	// Seal is the response behind the gate.
	Seal     Seal
	request  http.Request
	encoding string // Content-Encoding at the gate
	room     core.Room
}

// Room begins a passage for a request with the context ctx that has passed a gate.
// A view that adapters give to gates, and to nothing else, has a method Room that
// calls it: see [core.Room]. What the gate leaves in the context is then a part of
// the passage, with which [Enter] goes on. There is none behind a passage.
func Room(ctx context.Context) (*core.Room, context.Context) {
	if PassageFrom(ctx) != nil {
		return nil, nil
	}
	p := &Passage{Context: ctx}
	return &p.room, p
}

// passageKey is where a context has its passage. A middleware that wraps the
// response does not hide it.
type passageKey struct{}

// Value implements [context.Context].
func (p *Passage) Value(key any) any {
	if _, ok := key.(passageKey); ok {
		return p
	}
	return p.Context.Value(key)
}

// PassageFrom is the passage of the request whose context ctx is, or nil.
func PassageFrom(ctx context.Context) *Passage {
	p, _ := ctx.Value(passageKey{}).(*Passage)
	return p
}

// Behind reports whether w writes to the seal of p, as far as Unwrap shows it.
func (p *Passage) Behind(w http.ResponseWriter) bool {
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

// maxWrappers is how many writers around each other are looked through.
const maxWrappers = 32

// HoldsBack reports whether something in front of the server keeps what is
// written to w until the handlers have returned, which shows by that it cannot flush.
func HoldsBack(w http.ResponseWriter) bool {
	for range maxWrappers {
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			_, flushes := w.(http.Flusher)
			return !flushes
		}
		w = below.Unwrap()
	}
	return true // it leads to itself: nobody knows
}

// Belongs reports whether w is the response to p's request. One that does not
// show what it wraps is, unless r is another request with p's context, such as
// a part of a batch, whose response is its own.
func (p *Passage) Belongs(w http.ResponseWriter, r *http.Request) bool {
	return p.Behind(w) || r.RequestURI == p.request.RequestURI && r.RemoteAddr == p.request.RemoteAddr && r.Method == p.request.Method
}

// Enter lets r pass with v, by a mounted gate, and gives the request for the handlers
// behind it. Their response is p.Seal, around w, which is given the fields of v and
// keeps what they say of caches ([KeepFields]). p is nil where w is behind a gate
// already: handlers then go on with w.
func Enter(w http.ResponseWriter, r *http.Request, v *core.Verdict) (p *Passage, passed *http.Request) {
	h := w.Header()
	p = PassageFrom(v.Context)
	if p != nil && p.Behind(w) {
		AddFields(h, v.Fields)
		p.Join(v)
		return nil, WithContext(r, v.Context)
	}
	fields := v.Fields
	if p == nil || p.Seal.w != nil { // that of another response, by the same principal
		if p != nil {
			fields = slices.Concat(p.Seal.fields, fields)
		}
		p = &Passage{Context: v.Context}
		v.Context = p
	}
	if len(h) > 0 {
		p.encoding = strings.Join(h["Content-Encoding"], ", ")
	}
	AddFields(h, v.Fields)
	p.Seal.w, p.Seal.fields, p.Seal.shared = w, fields, v.SharedCaching
	p.request = *r.WithContext(v.Context)
	return p, &p.request
}

// Pass puts the fields of v, by which a request passes, into its response w. They
// stay there as [Enter] has it if the response is that of a passage; otherwise it
// can only be completed as it is now.
func Pass(w http.ResponseWriter, r *http.Request, v *core.Verdict) {
	h := w.Header()
	AddFields(h, v.Fields)
	p := PassageFrom(r.Context())
	if p == nil || !p.Belongs(w, r) {
		KeepFields(h, v.Fields, v.SharedCaching)
		return
	}
	p.Join(v)
}

// Join has the response keep the fields of another gate or check, too.
func (p *Passage) Join(v *core.Verdict) {
	p.Seal.shared = v.SharedCaching
	if len(v.Fields) > 0 {
		p.Seal.fields = slices.Concat(p.Seal.fields, v.Fields)
	}
}

// Refusal is a refused request and how it is answered.
type Refusal struct {
	Verdict core.Verdict
	// Request is what the log tells of, and Answer goes by.
	Request core.Request
	// Answer writes the answer to w.
	Answer func(w http.ResponseWriter, f *Refusal)

	header http.Header // of the response when it was sealed, if a handler may hold it
	shown  http.Header // what the seal has for header since
}

// wroteAfter tells the guard that somebody has written to the response since.
func (f *Refusal) wroteAfter() { f.Verdict.WroteAfter(f.Verdict.Context, f.Request) }

// Refuse answers a request that a gate or a check behind the passage refuses
// and seals the response. direct says that whoever asks writes to the seal
// itself.
//
// Where a middleware between the gate and the handler has wrapped the response,
// it may hold back or compress what it is given, and so the answer does not go
// through it: it is given when the handlers have returned, by End.
func (p *Passage) Refuse(f *Refusal, direct bool) {
	switch {
	case p.Seal.Closed(): // refused before
	case !direct:
		f.header = p.Seal.heldHeader()
		p.Seal.close(f, silent)
	default:
		p.answer(f)
		f.header = p.Seal.heldHeader()
		p.Seal.Close(f)
	}
}

// End is to be called when the handlers behind the gate have returned. Of a refusal
// the header is again what it was, since a handler may have held on to it: fields that
// it adds would be sent late, or as trailers.
func (p *Passage) End() {
	p.Seal.Keep()
	p.Seal.End()
	if f := p.Seal.late; f != nil && f.header != nil {
		h := p.Seal.w.Header()
		clear(h)
		maps.Copy(h, f.header)
	}
	if p.Seal.state.Load() == silent {
		p.answer(p.Seal.late)
	}
}

// answer answers below the seal, unless something has been sent already. What
// handlers have said of a representation is not true of the answer.
func (p *Passage) answer(f *Refusal) {
	if p.Seal.wrote {
		return
	}
	h := p.Seal.w.Header()
	ClearRepresentation(h)
	if p.encoding != "" {
		h["Content-Encoding"] = []string{p.encoding}
	}
	f.Answer(p.Seal.w, f)
}

// ClearRepresentation removes the fields that describe a representation which
// is not sent, except Content-Type and Content-Length: [RepresentationFields].
func ClearRepresentation(h http.Header) {
	if len(h) == 0 {
		return
	}
	for _, name := range representation {
		delete(h, name)
	}
}

// RepresentationFields are the fields that describe a representation or the way in
// which it is sent (RFC 9110 §6.6.2, §8 and §14, RFC 9530), and their older forms.
func RepresentationFields() []string { return representation[:] }

var representation = [...]string{
	"Accept-Ranges", "Content-Digest", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-Md5",
	"Content-Range", "Digest", "Etag", "Last-Modified", "Repr-Digest", "Trailer", "Transfer-Encoding",
}

// Batch hands out zero values that are allocated several at a time. None is
// handed out twice. It spares requests most of their allocations of a T.
type Batch[T any] struct{ pool sync.Pool }

// batchSize is how many values are allocated at a time. As long as one is in
// use, all stay in memory.
const batchSize = 16

// New gives one value.
func (b *Batch[T]) New() *T {
	left, _ := b.pool.Get().(*[]T)
	if left == nil {
		all := make([]T, batchSize)
		left = &all
	}
	v := &(*left)[0]
	if *left = (*left)[1:]; len(*left) > 0 {
		b.pool.Put(left)
	}
	return v
}
