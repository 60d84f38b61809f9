package authclient_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/authclient"
)

// stubborn is a source that always wants to try again.
type stubborn struct{}

func (stubborn) Fields() []string                                  { return []string{"Authorization"} }
func (stubborn) Authorize(*http.Request) (authclient.Stamp, error) { return 1, nil }
func (stubborn) Answered(*http.Request, authclient.Answer) bool    { return true }

// refusing answers every request with a status.
type refusing struct{ status, sent int }

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	r.sent++
	return &http.Response{StatusCode: r.status, Header: http.Header{"Retry-After": {"0"}}, Body: http.NoBody, Request: req}, nil
}

// K02, K03: whatever its source says, a transport repeats only what was a 401, and waits
// only for what it can send again.
func TestK02TheTransportDecidesAboutRepeating(t *testing.T) {
	for _, tt := range []struct {
		name         string
		status, sent int
		body         io.Reader
	}{
		{"401", http.StatusUnauthorized, 2, nil},
		{"403", http.StatusForbidden, 1, nil},
		{"404", http.StatusNotFound, 1, nil},
		{"500", http.StatusInternalServerError, 1, nil},
		{"503", http.StatusServiceUnavailable, 3, nil},
		{"503 with a body that rewinds", http.StatusServiceUnavailable, 3, strings.NewReader("text")},
		{"503 with an opaque body", http.StatusServiceUnavailable, 1, io.MultiReader(strings.NewReader("text"))},
	} {
		base := &refusing{status: tt.status}
		client, err := authclient.New(base, stubborn{}, []string{"https://api.example"})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://api.example/", tt.body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tt.status || base.sent != tt.sent {
			t.Errorf("%s: %d after %d requests, want %d", tt.name, resp.StatusCode, base.sent, tt.sent)
		}
	}
}
