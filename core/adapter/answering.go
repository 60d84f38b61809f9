package adapter

import "net/http"

// Answering is the writer of a framework's response while an answer is written:
// functions that the framework calls in between, such as those given to the Before and
// After of Echo's response, change nothing of it. It is for one goroutine.
type Answering Seal

// Answering makes a zero Seal that of to, and returns it as a writer that sends the
// response to f, whatever is written. When that is done, s can be closed.
func (s *Seal) Answering(to http.ResponseWriter, f *Refusal) *Answering {
	s.w, s.late = to, f
	return (*Answering)(s)
}

// Header implements [http.ResponseWriter].
func (w *Answering) Header() http.Header { return w.w.Header() }

// WriteHeader implements [http.ResponseWriter].
func (w *Answering) WriteHeader(int) {
	if !w.wrote {
		w.wrote = true
		AddFields(w.w.Header(), w.late.Verdict.Response.Fields)
		w.w.WriteHeader(w.late.Verdict.Response.Status)
	}
}

// Write implements [http.ResponseWriter].
func (w *Answering) Write(b []byte) (int, error) {
	if w.header == restored {
		return len(b), nil
	}
	w.header = restored
	w.WriteHeader(0)
	return w.w.Write(w.late.Verdict.Response.Body)
}

// FlushError is for [http.ResponseController], which finds nothing else of the writer
// below: flushed before the header, that would send one of its own.
func (w *Answering) FlushError() error {
	w.WriteHeader(0)
	return http.NewResponseController(w.w).Flush()
}
