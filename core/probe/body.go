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

// streamTime is how long a body is read that may never end, such as an event stream.
const streamTime = 300 * time.Millisecond

// endless reports whether a body may never end.
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

// readBody reads a body, and reports whether it is complete. A slow one is cut off
// when the time is up, since the header is enough to evaluate the answer.
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

// unzip decompresses a body, as far as it can be read. The requests do not ask for
// compression, so the service compresses everything.
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
