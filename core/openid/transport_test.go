package openid

import (
	"net/http"
	"testing"
)

// TestReplacedDefaultTransport: a program may wrap http.DefaultTransport, for instance to
// trace requests.
func TestReplacedDefaultTransport(t *testing.T) {
	was := http.DefaultTransport
	defer func() { http.DefaultTransport = was }()
	http.DefaultTransport = struct{ http.RoundTripper }{was}
	p, err := NewProvider("http://127.0.0.1:1", "app")
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}
