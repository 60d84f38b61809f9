package authclient

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
)

type apiKey struct{ field, value string }

// APIKey returns a source of one key in a header field: "X-API-Key" and the key, or
// "Authorization" and "ApiKey " with the key. A refused key stays refused, so no
// request is repeated after a 401.
//
// The field must be a token, and the key printable ASCII and not empty; errors do
// not quote the key.
func APIKey(field, key string) (Source, error) {
	if _, err := challenge.New(field); err != nil {
		return nil, fmt.Errorf("authclient: %q is not the name of a header field", field)
	}
	if key == "" || strings.TrimSpace(key) != key || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("authclient: the API key is empty, or not printable ASCII without surrounding space: does it end with a line break?")
	}
	return &apiKey{field: http.CanonicalHeaderKey(field), value: key}, nil
}

// Format keeps the key out of formatted output.
func (k *apiKey) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "API key in "+k.field) }

func (k *apiKey) Fields() []string { return []string{k.field} }

func (k *apiKey) Authorize(r *http.Request) (Stamp, error) {
	r.Header.Set(k.field, k.value)
	return 1, nil
}

func (k *apiKey) Answered(*http.Request, Answer) bool { return false }
