package ask

import (
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// Canonical has the path of a request in place of the object that a question
// names, as a gate would: decoded once, without query and trailing slash. The
// note then says so. It is an error for a path that a gate answers with 400. An
// object that does not begin with a slash is no path and stays.
func Canonical(q Question) (canonical Question, note string, err error) {
	if !strings.HasPrefix(q.Object, "/") {
		return q, "", nil
	}
	sent, _, _ := strings.Cut(q.Object, "?")
	path, err := core.CanonicalPath(core.Route{Path: sent, Escaped: true})
	if err != nil {
		return q, "", fmt.Errorf("a gate answers 400 to the path %s: %w%s", q.Object, err, spelling(sent))
	}
	if path != q.Object {
		note = fmt.Sprintf("%s is read as %s, which is the path that a gate asks about: decoded, without query and trailing slash", q.Object, path)
		q.Object = path
	}
	return q, note, nil
}

// spelling says how characters are written that mean something else in a path.
func spelling(path string) string {
	if strings.ContainsAny(path, "%#") {
		return " (paths are written as in requests: %25 is a percent sign, %23 a #)"
	}
	return ""
}
