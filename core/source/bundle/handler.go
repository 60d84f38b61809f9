package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/pause"
)

// Handler serves a bundle over HTTP, to GET and HEAD. Unlike a static file server
// it honors Prefer: wait=N (RFC 7240 §4.3): if If-None-Match names the current
// bundle, it waits for a new one for N seconds, up to [MaxHandlerWait], and says so
// with Preference-Applied. It notices a new bundle within a quarter of a second.
//
// It does not verify the bundle; readers do. To restrict who may read it, mount a
// guard in front. The server's WriteTimeout must be longer than the wait.
type Handler struct {
	path string

	mu   sync.Mutex
	info fs.FileInfo // of the file with data; nil if there is none
	data []byte
	etag string
}

// MaxHandlerWait is the maximum time that a [Handler] waits.
const MaxHandlerWait = time.Minute

// NewHandler returns a handler for the bundle at path. The file need not exist yet:
// until it does the response is 404.
func NewHandler(path string) (*Handler, error) {
	if path == "" {
		return nil, errors.New("bundle: the path must not be empty")
	}
	return &Handler{path: path}, nil
}

// current returns the bundle in the file and its ETag, "" if there is none.
func (h *Handler) current() (data []byte, etag string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	info, err := os.Stat(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = nil, nil
	}
	if err != nil {
		return nil, "", err
	}
	if !sameFile(h.info, info) {
		data, etag := []byte(nil), ""
		if info != nil {
			if data, err = h.read(); err != nil {
				return nil, "", err
			}
			sum := sha256.Sum256(data)
			etag = `"` + hex.EncodeToString(sum[:]) + `"`
		}
		h.info, h.data, h.etag = info, data, etag
	}
	return h.data, h.etag, nil
}

func (h *Handler) read() ([]byte, error) {
	file, err := os.Open(h.path)
	if err != nil {
		return nil, err
	}
	defer file.Close() // only read
	return bounded.Read(file, maxSize)
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	wait, waits := preferredWait(r.Header)
	data, etag, err := h.current()
	if known := etag; known != "" && names(r.Header, known) { // the field may be long
		for end := time.Now().Add(wait); err == nil && etag == known && time.Now().Before(end); {
			if pause.For(r.Context(), min(lookEvery, time.Until(end))) != nil {
				return // the client is gone
			}
			data, etag, err = h.current()
		}
	}
	switch {
	case err != nil:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the bundle cannot be read", http.StatusServiceUnavailable)
		return
	case etag == "":
		http.NotFound(w, r)
		return
	}
	if waits {
		w.Header().Set("Preference-Applied", fmt.Sprintf("wait=%d", int(wait/time.Second)))
		w.Header().Add("Vary", "Prefer")
	}
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data)) // answers 304 if the ETag matches
}

// names reports whether If-None-Match names an ETag.
func names(h http.Header, etag string) bool {
	for _, line := range h.Values("If-None-Match") {
		for tag := range strings.SplitSeq(line, ",") {
			if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == etag {
				return true
			}
		}
	}
	return false
}

// preferredWait returns how long a client asks to wait, and whether it does.
func preferredWait(h http.Header) (time.Duration, bool) {
	for _, line := range h.Values("Prefer") {
		for preference := range strings.SplitSeq(line, ",") {
			preference, _, _ = strings.Cut(preference, ";") // without its parameters
			name, value, _ := strings.Cut(preference, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			if err != nil {
				return 0, false
			}
			return min(time.Duration(n)*time.Second, MaxHandlerWait), true
		}
	}
	return 0, false
}
