package jwtauth_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// E11: a small response that decompresses to 64 MiB is refused if no compression was
// requested, and cut off if the application's transport requests it.
func TestCompressedSetsAreBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	blank := []byte(strings.Repeat(" ", 1<<20))
	for range 64 {
		if _, err := z.Write(blank); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes()) // a client that hangs up is expected
	}))
	defer server.Close()
	for name, opts := range map[string][]jwtauth.RemoteOption{
		"by default":                  nil,
		"a transport that unpacks it": {jwtauth.WithTransport(&http.Transport{DisableKeepAlives: true})},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			done := make(chan jwtauth.Refresh, 1)
			r, err := jwtauth.Fetch(server.URL, append(opts, jwtauth.WithRefreshObserver(func(f jwtauth.Refresh) {
				select {
				case done <- f:
				default:
				}
			}))...)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if f := <-done; f.Err == nil || f.Keys != 0 {
				t.Errorf("accepted: %+v", f)
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("%d MiB were read", used>>20)
			}
		})
	}
}
