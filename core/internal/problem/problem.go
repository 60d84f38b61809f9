// Package problem renders problem details (RFC 9457) for denials, and keeps
// the bodies of answers that come again and again.
package problem

import (
	"encoding/json"
	"net/http"
)

// MediaType is the media type of a problem document (RFC 9457 §3).
const MediaType = "application/problem+json"

// document leaves out type, which then is about:blank, so title has to be the
// status phrase (RFC 9457 §4.2.1).
type document struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Error  string `json:"error"`
}

// Render is the problem document for a status, a stable code and a text.
// Whatever bytes they hold, the result is valid JSON.
func Render(status int, code, detail string) []byte {
	b, _ := json.Marshal(document{http.StatusText(status), status, detail, code}) // strings and an int always marshal
	return append(b, '\n')
}
