package respond

import (
	"net/url"
	"strings"
)

// ReturnToParam is the query parameter that tells a sign-in page where its
// visitor came from.
const ReturnToParam = "return_to"

// maxReturnTo is the longest path to return to, in bytes.
const maxReturnTo = 2 << 10

// ReturnTo is the path to send a browser to after it has signed in: where it
// came from if that is a path of this site, and "/" otherwise. Ask it of the
// parameter [ReturnToParam] before redirecting, since whoever made the link to
// the sign-in page chose it.
//
// A path, with its query and fragment, is given back as it is when it
//
//   - has at most 2 KiB, all of them visible ASCII without a backslash;
//   - begins with one slash and holds no empty segment but a last one, and no
//     dot segment, so that no browser, proxy or path cleaning can make
//     "//host" of it, encoded slashes and dots counted as such;
//   - has no bad escapes, and none for control characters or a backslash.
func ReturnTo(s string) string {
	if isLocal(s) {
		return s
	}
	return "/"
}

func isLocal(s string) bool {
	if len(s) > maxReturnTo || !strings.HasPrefix(s, "/") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return false
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return isPlainPath(u.Path)
}

// isPlainPath reports whether a decoded path is the same after any cleaning.
func isPlainPath(decoded string) bool {
	for i := range len(decoded) {
		if c := decoded[i]; c < ' ' || c == 0x7f || c == '\\' {
			return false
		}
	}
	segments := strings.Split(decoded, "/")
	for i, s := range segments[1:] {
		last := i == len(segments)-2
		if s == "." || s == ".." || s == "" && !last {
			return false
		}
	}
	return segments[0] == "" && len(segments) > 1
}
