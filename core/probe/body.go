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

// streamTime is how long a stream is read.
const streamTime = 300 * time.Millisecond

// isStream reports whether a body may never end, such as an event stream.
func isStream(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err != nil:
		return false
	case kind == "text/event-stream", kind == "application/x-ndjson", kind == "application/jsonl":
		return true
	}
	return strings.HasPrefix(kind, "multipart/x-mixed")
}

// readBody reads a body, and reports whether it is complete. A slow one is cut off when
// the time is up, without an error: the header is enough to evaluate the answer.
func readBody(resp *http.Response) (body string, complete bool, err error) {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	complete = err == nil && len(raw) <= MaxBody
	raw = raw[:min(len(raw), MaxBody)]
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		raw = gunzip(raw)
	}
	return string(raw), complete, err
}

// gunzip decompresses a body as far as possible. Requests do not ask for compression, but
// some services compress everything.
func gunzip(raw []byte) []byte {
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
