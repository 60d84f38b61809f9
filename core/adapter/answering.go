package adapter

import (
	"net/http"

	"github.com/sallyport-go/sallyport/core"
)

// Answering is the writer of a framework's response while an answer is written:
// functions that the framework calls in between, such as those given to the Before and
// After of Echo's response, change nothing of it. Begin it before its first use. It is
// for one goroutine.
type Answering struct {
	http.ResponseWriter
	answer      *core.Response
	sent, wrote bool
}

// Begin has w send answer, whatever is written to it, to the writer to.
func (w *Answering) Begin(to http.ResponseWriter, answer *core.Response) {
	*w = Answering{ResponseWriter: to, answer: answer}
}

// WriteHeader implements [http.ResponseWriter].
func (w *Answering) WriteHeader(int) {
	if !w.sent {
		w.sent = true
		AddFields(w.Header(), w.answer.Fields)
		w.ResponseWriter.WriteHeader(w.answer.Status)
	}
}

// Write implements [http.ResponseWriter].
func (w *Answering) Write(b []byte) (int, error) {
	if w.wrote {
		return len(b), nil
	}
	w.wrote = true
	w.WriteHeader(w.answer.Status)
	return w.ResponseWriter.Write(w.answer.Body)
}

// FlushError is for [http.ResponseController], which finds nothing else of the writer
// below: flushed before the header, that would send one of its own.
func (w *Answering) FlushError() error {
	w.WriteHeader(w.answer.Status)
	return http.NewResponseController(w.ResponseWriter).Flush()
}
