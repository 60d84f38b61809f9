package probe

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
)

// streamTime is how long a body is read that need not end, such as a stream of
// events.
const streamTime = 300 * time.Millisecond

// endless reports whether a body is one that need not end.
func endless(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err != nil:
		return false
	case kind == "text/event-stream", kind == "application/x-ndjson", kind == "application/jsonl":
		return true
	}
	return strings.HasPrefix(kind, "multipart/x-mixed")
}

// readBody reads a body, and says whether all of it was. One that is slow is cut
// off where the time is up: its head has told the answer.
func readBody(resp *http.Response) (body string, whole bool, err error) {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	whole = err == nil && len(raw) <= MaxBody
	raw = raw[:min(len(raw), MaxBody)]
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		raw = unzip(raw)
	}
	return string(raw), whole, err
}

// unzip is what was compressed, as far as it can be read: nobody was asked to
// compress, so that the service does it to everything.
func unzip(raw []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return raw
	}
	text, err := io.ReadAll(io.LimitReader(z, MaxBody))
	if err != nil && len(text) == 0 {
		return raw
	}
	return text
}
