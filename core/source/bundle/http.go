package bundle

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/lostpeer"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/internal/secureurl"
	"github.com/sallyport-go/sallyport/core/source"
)

const (
	maxHeaderBytes = 64 << 10
	maxETag        = 1024
	// maxAge is the maximum age of a cached response. Without it a cache could report
	// for days that nothing has changed.
	maxAge = time.Minute
	// waitGrace is how much longer than requested a server may wait.
	waitGrace = 15 * time.Second
)

// newTransport returns a transport that keeps its connection, for requests every
// few seconds.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      true,
		HTTP2:                  lostpeer.Pings(),
	}
}

// parseAddress parses the address of a bundle.
func parseAddress(text string, plainHTTP bool) (*url.URL, error) {
	return secureurl.Parse(text, plainHTTP, secureurl.Hints{
		Credentials: "give them to WithAuthorization",
		Plain:       "read bundles and withhold newer ones",
	})
}

// answer is the response of a server.
type answer struct {
	unmodified bool // the ETag that was sent is current
	waits      bool // the server supports Prefer: wait
	data       []byte
	etag       string
}

// get requests the bundle, unless it is still the one with etag. With a wait, the
// server is asked to wait for a new one; a wait of 0 asks whether it would.
func (s *Source) get(ctx context.Context, etag string, wait *time.Duration) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address.String(), nil)
	if err != nil {
		return answer{}, quiet.Error(err)
	}
	r.Header.Set("User-Agent", "sallyport")
	r.Header.Set("Cache-Control", "no-cache") // makes caches ask the server (RFC 9111 §5.2.1.4)
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	if wait != nil {
		r.Header.Set("Prefer", "wait="+strconv.Itoa(int(*wait/time.Second))) // RFC 7240 §4.3
	}
	if s.settings.authorization != "" {
		r.Header.Set("Authorization", s.settings.authorization)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return answer{}, quiet.Error(err)
	}
	defer resp.Body.Close() // only read
	a := answer{waits: waits(resp.Header)}
	if seconds, _ := strconv.Atoi(resp.Header.Get("Age")); seconds > int(maxAge/time.Second) {
		return a, fmt.Errorf("a cache answered with a copy that is %d s old: have the server send Cache-Control: no-cache, so that caches ask it again", seconds)
	}
	switch {
	case resp.StatusCode == http.StatusNotModified && etag != "":
		a.unmodified = true
		return a, nil
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return a, fmt.Errorf("answer %d: %w", resp.StatusCode, source.ErrEmpty)
	case resp.StatusCode != http.StatusOK:
		return a, fmt.Errorf("answer %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	if tag := resp.Header.Get("ETag"); len(tag) <= maxETag {
		a.etag = tag
	}
	if a.data, err = bounded.Body(resp, s.settings.maxSize); err != nil {
		return a, fmt.Errorf("read the bundle: %w", err)
	}
	return a, nil
}

// waits reports whether a server has applied Prefer: wait (RFC 7240 §3).
func waits(h http.Header) bool {
	for _, line := range h.Values("Preference-Applied") {
		for preference := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(preference, "=")
			if strings.EqualFold(strings.TrimSpace(name), "wait") {
				return true
			}
		}
	}
	return false
}

// decode verifies a bundle, which must be of the given set.
func decode(data []byte, set string, trusted []ed25519.PublicKey) (*Bundle, error) {
	b, err := Decode(data, trusted...)
	if err == nil && b.Set != set {
		err = otherSet(b.Set, set)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}
