package probe

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

var (
	// volatileWords matches what is new in each answer: nonces, form tokens, request IDs,
	// times.
	volatileWords = regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}={0,2}|\d+`)
	styleBlocks   = regexp.MustCompile(`(?is)<style\b.*?</style>|<script\b.*?</script>`)
	markup        = regexp.MustCompile(`</?[A-Za-z][^>]*>`)
	headings      = regexp.MustCompile(`(?is)<(title|h1|h2)\b[^>]*>(.*?)</(?:title|h1|h2)>`)
)

// withoutVolatile returns a body without what is new in each answer.
func withoutVolatile(body string) string {
	return volatileWords.ReplaceAllStringFunc(body, func(word string) string {
		if strings.ContainsAny(word, "0123456789") {
			return "…"
		}
		return word // without a digit it is text
	})
}

// samePage reports whether two answers have the same body, except for what is new in each
// and for the requested path.
func samePage(a, b Exchange) bool {
	plain := func(x Exchange) string {
		path, _, _ := strings.Cut(x.Target, "?")
		body := x.Body
		if read, err := url.PathUnescape(path); err == nil {
			for _, form := range []string{path, html.EscapeString(path), inJSON(path), read, html.EscapeString(read), inJSON(read), (&url.URL{Path: read}).EscapedPath()} {
				if len(form) > 1 {
					body = strings.ReplaceAll(body, form, "…")
				}
			}
		}
		return withoutVolatile(body)
	}
	return a.Body == b.Body || plain(a) == plain(b)
}

// isPage reports whether an answer is HTML.
func isPage(x Exchange) bool {
	return strings.Contains(strings.ToLower(x.Answer.Header.Get("Content-Type")), "html")
}
