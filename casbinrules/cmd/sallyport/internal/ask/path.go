package ask

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Canonical replaces the object of a question by the path that a gate would authorize:
// decoded once, without query and trailing slash. The note reports the change. A path that
// a gate answers with 400 is an error. An object that does not begin with a slash is not a
// path and is left alone. With slashes, the gate belongs to a guard with
// core.WithEncodedSlashes, and encoded slashes are part of parameters.
func Canonical(q Question, slashes bool) (canonical Question, note string, err error) {
	if !strings.HasPrefix(q.Object, "/") {
		return q, "", nil
	}
	sent, _, _ := strings.Cut(q.Object, "?")
	canonicalPath, inner := adapter.CanonicalPath, adapter.EncodedSlashes(sent)
	if slashes {
		canonicalPath = adapter.CanonicalPathWithSlashes
	}
	path, err := canonicalPath(core.Route{Path: sent, Escaped: true, InnerSlashes: inner})
	if err != nil {
		return q, "", fmt.Errorf("a gate answers 400 to the path %s: %w%s", q.Object, err, escapeHint(sent, inner > 0 && !slashes))
	}
	if path != q.Object {
		note = fmt.Sprintf("%s is read as %s, which is the path that a gate asks about: decoded, without query and trailing slash", q.Object, path)
		q.Object = path
	}
	return q, note, nil
}

// escapeHint returns how to write characters that have another meaning in a path.
func escapeHint(path string, slashes bool) string {
	if slashes {
		return " (say --encoded-slashes if the guard has core.WithEncodedSlashes)"
	}
	if _, err := url.PathUnescape(path); err != nil || strings.Contains(path, "#") {
		return " (paths are written as in requests: %25 is a percent sign, %23 a #)"
	}
	return ""
}
