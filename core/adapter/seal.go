package adapter

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core"
)

// Seal is a response writer that forwards everything until it is closed, and
// nothing from then on: what is written after a refusal never reaches the client.
//
// It keeps the optional interfaces of the writer below it: ReadFrom uses the
// server's, Hijack, Push and [http.ResponseController] work, and [Seal.Writer] can
// flush if the writer below can.
//
// Once closed, it accepts writes and drops them, so that no handler fails in a new
// way. Header returns a copy, Hijack and Push fail with an error that wraps
// [http.ErrNotSupported], and Unwrap goes no further.
//
// The zero Seal must be initialized with Cover or Answering. Close may be called concurrently
// with writes; everything else is as safe for concurrent use as the writer below.
type Seal struct {
	w      http.ResponseWriter
	late   *Refusal
	fields *[]core.Field // from the gates
	header uint8         // one of the states of the header below
	shared bool          // whether shared caches may store the handler's response
	wrote  bool          // something has been forwarded
	ended  bool          // the writer below may be in other hands
	state  atomic.Uint32 // one of the states below, and perhaps lent
}

// The states of a [Seal].
const (
	open   = iota
	silent // closed, not written to by a handler, and the response is still to be written
	closed // closed, and a write is still to be reported
	told   // closed, and a write was reported

	lent = 4 // added if a handler may hold the header of the writer below
)

// The states of the header of the writer below.
const (
	unsent   = iota
	hinted   // an informational response has been forwarded
	restored // the fields about caching are in it
)

// Cover makes s that of w, unless it has a writer already, and closes it with a refusal.
// Flushing it does nothing, since w may be reused.
func (s *Seal) Cover(w http.ResponseWriter, f *Refusal) {
	if s.w == nil {
		s.w = w
	}
	s.ended = true
	s.Close(f)
}

// Close seals the response with a refusal, unless it is sealed already. The first
// write from now on is reported to the guard of f.
func (s *Seal) Close(f *Refusal) { s.close(f, closed) }

func (s *Seal) close(f *Refusal, state uint32) {
	if !s.Closed() {
		s.late = f
		s.change(open, state)
	}
}

// change replaces one state by another, and reports false if s had neither.
func (s *Seal) change(from, to uint32) bool {
	return s.state.CompareAndSwap(from, to) || s.state.CompareAndSwap(from|lent, to|lent)
}

// current returns the state.
func (s *Seal) current() uint32 { return s.state.Load() &^ lent }

// Closed reports whether the response is sealed.
func (s *Seal) Closed() bool { return s.current() != open }

// Sent records that the writer below has been written to.
func (s *Seal) Sent() { s.wrote = true }

// Writer returns the seal for a handler: with Flush only if the writer below has
// it, since Flush cannot report that it does nothing.
func (s *Seal) Writer() http.ResponseWriter {
	switch s.w.(type) {
	case http.Flusher, interface{ FlushError() error }:
		return flushing{s}
	}
	return s
}

// Below returns the writer below, which must not be written to once s is closed.
func (s *Seal) Below() http.ResponseWriter { return s.w }

// Keep makes sure that the gates' fields about caching are in the header before it
// is sent. It is for frameworks whose handlers send a header other than through the
// seal.
func (s *Seal) Keep() {
	if s.header == restored || s.Closed() {
		return
	}
	h, before := s.w.Header(), s.header
	s.header = restored
	if before == hinted {
		addMissing(h, *s.fields)
	}
	KeepFields(h, *s.fields, s.shared)
}

// Release makes the seal keep no fields from now on: the response is the guard's,
// or the application's for unknown paths.
func (s *Seal) Release() { s.header = restored }

// send is called before the header is sent.
func (s *Seal) send() {
	s.wrote = true
	s.Keep()
}

// isClosed reports whether a handler's write must be dropped, and reports it to the
// guard.
func (s *Seal) isClosed() bool {
	if !s.Closed() {
		return false
	}
	if s.change(closed, told) {
		s.late.wroteAfter()
	}
	return true
}

// Header implements [http.ResponseWriter].
func (s *Seal) Header() http.Header {
	if !s.Closed() {
		s.state.Or(lent)
		return s.w.Header()
	}
	if s.late.shown == nil {
		s.late.shown = s.w.Header().Clone()
	}
	return s.late.shown
}

// heldHeader returns a copy of the header below if a handler behind the seal may
// hold it.
func (s *Seal) heldHeader() http.Header {
	if s.state.Load()&lent == 0 {
		return nil
	}
	return s.w.Header().Clone()
}

// WriteHeader implements [http.ResponseWriter].
func (s *Seal) WriteHeader(status int) {
	if s.isClosed() {
		return
	}
	if status >= http.StatusOK {
		s.send()
	} else { // httputil.ReverseProxy clears the header after it
		s.header = max(s.header, hinted)
	}
	s.w.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (s *Seal) Write(b []byte) (int, error) {
	if s.isClosed() {
		return len(b), nil
	}
	s.send()
	return s.w.Write(b)
}

// WriteString implements [io.StringWriter].
func (s *Seal) WriteString(text string) (int, error) {
	if s.isClosed() {
		return len(text), nil
	}
	s.send()
	return io.WriteString(s.w, text)
}

// ReadFrom implements [io.ReaderFrom], so that servers can send files without
// copying them. Once closed, it reads nothing.
func (s *Seal) ReadFrom(r io.Reader) (int64, error) {
	if s.isClosed() {
		return 0, nil
	}
	s.send()
	if to, ok := s.w.(io.ReaderFrom); ok {
		return to.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{s.w}, r)
}

// Hijack implements [http.Hijacker].
func (s *Seal) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if s.isClosed() {
		return nil, nil, errSealed
	}
	conn, rw, err := http.NewResponseController(s.w).Hijack()
	s.wrote = s.wrote || err == nil // HTTP/2 has no connection to give away
	return conn, rw, err
}

// errSealed refuses calls that would bypass a seal.
var errSealed = fmt.Errorf("the request was refused and the response is complete: %w", http.ErrNotSupported)

// Push implements [http.Pusher].
func (s *Seal) Push(target string, opts *http.PushOptions) error {
	if s.isClosed() {
		return errSealed
	}
	if p, ok := s.w.(http.Pusher); ok {
		return p.Push(target, opts)
	}
	return http.ErrNotSupported
}

// CloseNotify implements [http.CloseNotifier], which frameworks still ask for.
func (s *Seal) CloseNotify() <-chan bool {
	//lint:ignore SA1019 a wrapper must not hide it
	if n, ok := s.w.(http.CloseNotifier); ok {
		return n.CloseNotify()
	}
	return nil
}

// Unwrap is for [http.ResponseController].
func (s *Seal) Unwrap() http.ResponseWriter {
	if s.Closed() {
		return dropping{s}
	}
	return s.w
}

// FlushError is called by [http.ResponseController]: it flushes what has been
// written, as far as the writers below can. A closed seal does so only while its
// handlers run, and never fails, since the response is complete. It does nothing as
// long as the refusal is still to be written, since that would send a 200.
func (s *Seal) FlushError() error {
	state := s.current()
	if state == silent || state != open && s.ended {
		return nil
	}
	s.Keep() // the header is sent first if it was not yet
	err := http.NewResponseController(s.w).Flush()
	switch {
	case state == open:
		s.wrote = s.wrote || err == nil
	case errors.Is(err, http.ErrNotSupported):
		return nil
	}
	return err
}

// SealOf returns w itself as a seal, or nil.
func SealOf(w http.ResponseWriter) *Seal {
	switch w := w.(type) {
	case *Seal:
		return w
	case flushing:
		return w.Seal
	}
	return nil
}

// flushing is a seal of a writer that can flush.
type flushing struct{ *Seal }

func (f flushing) Flush() { _ = f.FlushError() } // as http.Flusher has it

// dropping is what Unwrap of a closed seal returns.
type dropping struct{ s *Seal }

func (d dropping) Header() http.Header         { return d.s.Header() }
func (d dropping) WriteHeader(status int)      { d.s.WriteHeader(status) }
func (d dropping) Write(b []byte) (int, error) { return d.s.Write(b) }
