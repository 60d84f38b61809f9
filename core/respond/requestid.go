package respond

import (
	"regexp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// maxRequestID is the maximum length in bytes of a request ID that is repeated.
const maxRequestID = 128

// requestID returns the request's ID from the named field, or "". The field may
// come from a client as well as from a proxy, so only an ID of letters, digits,
// ".", "_", "~" and "-" that begins with a letter or digit is repeated: it is
// harmless in every format and is itself a URI reference.
func requestID(r core.Request, name string) string {
	if name == "" {
		return ""
	}
	id, n := r.Header(name)
	if n != 1 || len(id) > maxRequestID || !ascii.Only(id, "._~-") || !ascii.IsAlphanumeric(id[0]) {
		return ""
	}
	return id
}

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// instance returns a request ID as a URI reference that reveals nothing else (RFC
// 9457 §3.1.5, RFC 9562 §4).
func instance(id string) string {
	if uuid.MatchString(id) {
		return "urn:uuid:" + id
	}
	return id
}
