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

// Seal is a response writer that passes everything on until it is closed, and
// nothing from then on: what is written after a refusal never reaches the
// client.
//
// It hides nothing of the writer below it that handlers look for: ReadFrom uses
// that of the server, Hijack, Push and [http.ResponseController] work, and
// [Seal.Writer] can flush if the writer below can.
//
// Closed, it takes writes and drops them, so that no handler fails in a new way.
// Header gives a copy, Hijack and Push fail with an error that is
// [http.ErrNotSupported], and Unwrap leads no further.
//
// The zero Seal is not usable; Wrap makes it so. Close may be called beside
// writes; everything else is as concurrent as the writer below.
type Seal struct {
	w      http.ResponseWriter
	late   *Refusal
	fields []core.Field  // of the gates
	shared bool          // whether the handler may have its answer in shared caches
	kept   bool          // what the fields say of caches is in the header to be sent
	wrote  bool          // something has been passed on
	lent   bool          // somebody may hold the header of the writer below
	ended  bool          // the writer below may be in other hands
	state  atomic.Uint32 // how far it is closed
}

// The states of a [Seal].
const (
	open   = iota
	silent // closed, what is written is no handler's, and the answer is still to be given
	closed // closed, and what is written is to be told
	told   // closed, and told
)

// Wrap makes a zero Seal that of w, open.
func (s *Seal) Wrap(w http.ResponseWriter) {
	s.w = w
}

// Close seals the response by a refusal, unless it is sealed. That somebody writes from now
// on is told to the guard of f, once.
func (s *Seal) Close(f *Refusal) { s.close(f, closed) }

func (s *Seal) close(f *Refusal, state uint32) {
	if !s.Closed() {
		s.late = f
		s.state.CompareAndSwap(open, state)
	}
}

// Closed reports whether the response is sealed.
func (s *Seal) Closed() bool { return s.state.Load() != open }

// Sent says that the writer below has been written to before.
func (s *Seal) Sent() { s.wrote = true }

// End says that the handlers behind the seal have returned. Flushing a closed
// seal does nothing from then on: the writer below may be in other hands.
func (s *Seal) End() { s.ended = true }

// Writer is the seal as a handler should see it: with Flush only if the writer
// below has it, since Flush cannot tell that it does nothing.
func (s *Seal) Writer() http.ResponseWriter {
	switch s.w.(type) {
	case http.Flusher, interface{ FlushError() error }:
		return flushing{s}
	}
	return s
}

// Below is the writer below, which nobody may write to once s is closed.
func (s *Seal) Below() http.ResponseWriter { return s.w }

// Keep sees to it that what the gates said of caches is in the header, before
// that is sent. It is for frameworks whose handlers send a header by other means
// than those of the seal.
func (s *Seal) Keep() {
	if s.kept || s.Closed() {
		return
	}
	s.kept = true
	KeepFields(s.w.Header(), s.fields, s.shared)
}

// Release has the seal keep nothing from now on: what is sent is an answer of the
// guard's or of the application for paths that it does not know.
func (s *Seal) Release() { s.kept = true }

// send is called before the header is sent.
func (s *Seal) send() {
	s.wrote = true
	s.Keep()
}

// isClosed reports whether what a handler does now is to be dropped, and tells
// of it.
func (s *Seal) isClosed() bool {
	switch s.state.Load() {
	case open:
		return false
	case closed:
		if s.state.CompareAndSwap(closed, told) {
			s.late.wroteAfter()
		}
	}
	return true
}

// Header implements [http.ResponseWriter].
func (s *Seal) Header() http.Header {
	if !s.Closed() {
		s.lent = true
		return s.w.Header()
	}
	if s.late.shown == nil {
		s.late.shown = s.w.Header().Clone()
	}
	return s.late.shown
}

// heldHeader is a copy of the header below if somebody behind the seal may hold that.
func (s *Seal) heldHeader() http.Header {
	if !s.lent {
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
// copying them. Closed, it reads nothing.
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
	s.wrote = true
	return http.NewResponseController(s.w).Hijack()
}

// errSealed refuses what would get around a seal.
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

// FlushError is what [http.ResponseController] calls: it flushes what has been
// written, as far as the writers below can. A closed seal does that only while
// its handlers run, and never fails: the answer is complete.
func (s *Seal) FlushError() error {
	if s.Closed() && s.ended {
		return nil
	}
	s.Keep() // a header that is not sent yet goes first
	err := http.NewResponseController(s.w).Flush()
	if s.Closed() && errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// SealOf is the seal that w is itself, or nil.
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

// dropping is where a closed seal ends.
type dropping struct{ s *Seal }

func (d dropping) Header() http.Header         { return d.s.Header() }
func (d dropping) WriteHeader(status int)      { d.s.WriteHeader(status) }
func (d dropping) Write(b []byte) (int, error) { return d.s.Write(b) }
