package respond

import (
	"net/url"
	"strings"
)

// ReturnToParam is the query parameter that tells a sign-in page where the user
// came from.
const ReturnToParam = "return_to"

// maxReturnTo is the maximum length in bytes of a path to return to.
const maxReturnTo = 2 << 10

// ReturnTo returns the path to send a browser to after it has signed in: s if that
// is a path of this site, and "/" otherwise. Apply it to the parameter
// [ReturnToParam] before redirecting, since that is chosen by whoever made the link
// to the sign-in page.
//
// A path, with its query and fragment, is returned unchanged if it
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

// isPlainPath reports whether path cleaning never changes a decoded path.
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
