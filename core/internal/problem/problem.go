// Package problem renders problem details (RFC 9457) for denials.
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// MediaType is the media type of a problem document (RFC 9457 §3).
const MediaType = "application/problem+json"

// Document is what a problem document says. It leaves out type, which then is
// about:blank, so the title is the status phrase (RFC 9457 §4.2.1).
type Document struct {
	// Status is that of the status line.
	Status int
	// Detail is a text for people, left out when empty.
	Detail string
	// Instance is a URI reference, left out when empty (RFC 9457 §3.1.5).
	Instance string
	// Error is a stable code.
	Error string
	Needs
}

// Needs are the extension members that say what the request lacks, in the
// words of the challenge; each is left out when empty.
type Needs struct {
	Scope     string `json:"scope,omitempty"`      // RFC 6750 §3
	ACRValues string `json:"acr_values,omitempty"` // RFC 9470 §3
	MaxAge    int64  `json:"max_age,omitempty"`    // RFC 9470 §3, seconds
}

// NeedsOf is what the challenge for a denial's own code says the request lacks:
// a scope (RFC 6750 §3.1) or a stronger sign-in (RFC 9470 §3).
func NeedsOf(code string, challenges []challenge.Challenge) (n Needs) {
	if code != "insufficient_scope" && code != "insufficient_user_authentication" {
		return n
	}
	for _, c := range challenges {
		if own, _ := c.Param("error"); own != code {
			continue
		}
		n.Scope, _ = c.Param("scope")
		n.ACRValues, _ = c.Param("acr_values")
		if age, ok := c.Param("max_age"); ok {
			if seconds, err := strconv.ParseInt(age, 10, 64); err == nil && seconds > 0 {
				n.MaxAge = seconds
			}
		}
		return n
	}
	return n
}

// Size is how many bytes the document's texts have.
func (d Document) Size() int {
	return len(d.Detail) + len(d.Instance) + len(d.Error) + len(d.Scope) + len(d.ACRValues)
}

// JSON is the document as JSON. Whatever bytes the texts hold, it is valid.
func (d Document) JSON() []byte {
	b, _ := json.Marshal(struct { // strings and numbers always marshal
		Title    string `json:"title"`
		Status   int    `json:"status"`
		Detail   string `json:"detail,omitempty"`
		Instance string `json:"instance,omitempty"`
		Error    string `json:"error"`
		Needs
	}{http.StatusText(d.Status), d.Status, d.Detail, d.Instance, d.Error, d.Needs})
	return append(b, '\n')
}
