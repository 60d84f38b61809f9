package jwtauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/internal/secureurl"
)

const (
	maxHeaderBytes = 64 << 10
	maxETag        = 256
)

// client gets small documents from configured addresses.
type client struct {
	http    *http.Client
	timeout time.Duration
	maxSize int
}

func newClient(c remoteConfig) *client {
	return &client{
		http:    &http.Client{Transport: quiet.Transport(c.transport), CheckRedirect: secureurl.CheckRedirect},
		timeout: c.timeout,
		maxSize: c.maxSize,
	}
}

// NewTransport returns a transport like the one that [Fetch] and [Discover] use
// without [WithTransport], for programs that wrap it. It keeps no idle connections:
// requests are minutes apart, and an idle connection takes two goroutines.
func NewTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: maxFetchTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    maxFetchTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableKeepAlives:      true,
		DisableCompression:     true,
	}
}

// body is a response that was read to its end.
type body struct {
	data       []byte
	header     http.Header
	etag       string
	unmodified bool // 304: the document of the etag that was sent
}

// statusError is a response with an unexpected status.
type statusError struct {
	status     int
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	return fmt.Sprintf("answer %d %s", e.status, http.StatusText(e.status))
}

// retryAfter returns how long the issuer asks to wait in err, or zero.
func retryAfter(err error) time.Duration {
	if e, ok := errtype.As[*statusError](err); ok {
		return e.retryAfter
	}
	return 0
}

// get requests the document at address, unless etag still matches.
func (c *client) get(ctx context.Context, address *url.URL, etag string) (body, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return body{}, err
	}
	r.Header.Set("Accept", "application/json, application/jwk-set+json")
	r.Header.Set("User-Agent", "sallyport")
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return body{}, quiet.Error(err)
	}
	defer resp.Body.Close() // it was only read
	if resp.StatusCode == http.StatusNotModified && etag != "" {
		return body{header: resp.Header, unmodified: true}, nil
	}
	if resp.StatusCode != http.StatusOK {
		return body{}, &statusError{resp.StatusCode, seconds(resp.Header.Get("Retry-After"))}
	}
	data, err := bounded.Body(resp, int64(c.maxSize))
	if err != nil {
		return body{}, fmt.Errorf("reading the answer: %w", err)
	}
	b := body{data: data, header: resp.Header}
	if tag := resp.Header.Get("ETag"); len(tag) <= maxETag {
		b.etag = tag
	}
	return b, nil
}

// maxAge returns how long a response is fresh by its Cache-Control, less its Age
// (RFC 9111 §4.2); ok is false if it does not say.
func maxAge(h http.Header) (age time.Duration, ok bool) {
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-cache", "no-store":
				return 0, true
			case "max-age":
				age, ok = max(seconds(strings.Trim(value, `"`))-seconds(h.Get("Age")), 0), true
			}
		}
	}
	return age, ok
}

// seconds parses a delta-seconds (RFC 9111 §1.2.2). It returns at most a day, and
// zero if s is invalid.
func seconds(s string) time.Duration {
	const day = 24 * time.Hour
	n, err := strconv.ParseUint(s, 10, 64)
	if errors.Is(err, strconv.ErrRange) || err == nil && n > uint64(day/time.Second) {
		return day
	}
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// parseAddress parses the address of an issuer's document.
func parseAddress(text string, allowHTTP bool) (*url.URL, error) {
	return secureurl.Parse(text, allowHTTP, secureurl.Hints{
		Absolute:    "a file is read with OpenJWKS or a KeyFile",
		Credentials: "set the header in a transport (WithTransport)",
		Plain:       "sign tokens",
	})
}
