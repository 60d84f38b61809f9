package openid

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// An incomplete request of a provider is answered with a request to retry, not as a bad
// token.
func TestIncompleteLogout(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", iotest.ErrReader(io.ErrUnexpectedEOF))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err := logoutToken(httpauth.Request(r))
	var gone *core.UnavailableError
	if !errors.As(err, &gone) || gone.Reason != core.ReasonClientGone {
		t.Errorf("%v", err)
	}

	// A body cut off by a middleware would be as long the next time.
	r.Body = http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("logout_token=x")), 3)
	_, err = logoutToken(httpauth.Request(r))
	var bad *core.CredentialError
	if !errors.As(err, &bad) || bad.Reason != core.ReasonMalformed {
		t.Errorf("a body over a middleware's limit: %v", err)
	}
}
