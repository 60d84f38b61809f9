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

// Document is a problem document. It omits type, which means about:blank, so the title is
// the status phrase (RFC 9457 §4.2.1).
type Document struct {
	// Status is the status of the response.
	Status int
	// Detail is a text for people, omitted if empty.
	Detail string
	// Instance is a URI reference, omitted if empty (RFC 9457 §3.1.5).
	Instance string
	// Error is a stable code.
	Error string
	Needs
}

// Needs are the extension members that say what the request lacks, named as in the
// challenge. Empty ones are omitted.
type Needs struct {
	Scope     string `json:"scope,omitempty"`      // RFC 6750 §3
	ACRValues string `json:"acr_values,omitempty"` // RFC 9470 §3
	MaxAge    int64  `json:"max_age,omitempty"`    // RFC 9470 §3, seconds
}

// NeedsOf returns what the request lacks according to the challenge for a denial's own
// code: a scope (RFC 6750 §3.1) or a stronger sign-in (RFC 9470 §3).
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

// Size returns the total length of the document's texts in bytes.
func (d Document) Size() int {
	return len(d.Detail) + len(d.Instance) + len(d.Error) + len(d.Scope) + len(d.ACRValues)
}

// JSON encodes the document. The result is valid JSON whatever bytes the texts contain.
func (d Document) JSON() []byte {
	b, _ := json.Marshal(struct { // marshalling strings and numbers cannot fail
		Title    string `json:"title"`
		Status   int    `json:"status"`
		Detail   string `json:"detail,omitempty"`
		Instance string `json:"instance,omitempty"`
		Error    string `json:"error"`
		Needs
	}{http.StatusText(d.Status), d.Status, d.Detail, d.Instance, d.Error, d.Needs})
	return append(b, '\n')
}
