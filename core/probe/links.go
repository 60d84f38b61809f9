package probe

import (
	"cmp"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// maxLinks is the maximum number of links requested.
const maxLinks = 200

var (
	// unlinked matches what contains no links of a page: comments and scripts.
	unlinked = regexp.MustCompile(`(?is)<!--.*?-->|(<script\b[^>]*>).*?</script>`)
	tags     = regexp.MustCompile(`(?is)<(a|area|link|script|img|iframe|frame|source|video|audio|embed|object|track|input|image|use)\b[^>]*>`)
	refresh  = regexp.MustCompile(`(?is)<meta\b[^>]*http-equiv\s*=\s*["']?refresh["']?[^>]*content\s*=\s*["'][^"']*url=([^"']+)["']`)
	fetches  = regexp.MustCompile("(?i)\\b(?:fetch|import|XMLHttpRequest|EventSource|WebSocket|Worker|axios\\.get)\\(\\s*[\"'`]([^\"'`\\s$]+)[\"'`]")
	cssURL   = regexp.MustCompile(`(?i)url\(\s*["']?([^"')]+)["']?\s*\)|@import\s+["']([^"']+)["']`)
	base     = regexp.MustCompile(`(?is)<base\b[^>]*href\s*=\s*["']?([^"'\s>]+)`)
	locs     = regexp.MustCompile(`(?is)<loc>\s*(.*?)\s*</loc>`)
	// sitemapRoot matches the beginning of a sitemap, but not a page that shows one.
	sitemapRoot = regexp.MustCompile(`^\s*(<\?xml[^>]*>\s*|<!--(?s:.*?)-->\s*)*<(urlset|sitemapindex)\b`)
	sitemaps    = regexp.MustCompile(`(?im)^\s*sitemap\s*:\s*(\S+)`)
)

// references returns the addresses that a public answer refers to, unescaped.
func references(x Exchange) []string {
	kind := strings.ToLower(x.Answer.Header.Get("Content-Type"))
	body := x.Body
	var found []string
	add := func(ref string) {
		if ref = strings.TrimSpace(ref); ref != "" {
			found = append(found, ref)
		}
	}
	each := func(re *regexp.Regexp, decode func(string) string) {
		for _, m := range re.FindAllStringSubmatch(body, -1) {
			add(decode(strings.Join(m[1:], "")))
		}
	}
	raw := func(ref string) string { return ref }
	switch {
	case strings.Contains(kind, "html"):
		each(fetches, raw)
		body = unlinked.ReplaceAllString(body, "$1")
		for _, tag := range tags.FindAllString(body, -1) {
			all := attributes(tag)
			for _, name := range []string{"href", "src", "poster", "data", "xlink:href"} {
				add(all[name])
			}
			for part := range strings.SplitSeq(all["srcset"], ",") {
				ref, _, _ := strings.Cut(strings.TrimSpace(part), " ")
				add(ref)
			}
		}
		each(refresh, html.UnescapeString)
		each(cssURL, html.UnescapeString) // style attributes, too
	case strings.Contains(kind, "css"):
		each(cssURL, raw)
	case strings.Contains(kind, "javascript"):
		each(fetches, raw)
	case isSitemap(body):
		each(locs, html.UnescapeString)
	case strings.HasSuffix(x.Target, "/robots.txt"):
		each(sitemaps, raw)
	}
	return found
}

// sameHost returns the target of a reference, if it is on the same host.
func sameHost(from, ref, host string) (string, bool) {
	if ref == "" {
		return "", false
	}
	u, err := url.Parse(ref)
	if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	if u.Host != "" && !ascii.EqualFold(u.Host, host) {
		return "", false
	}
	at, err := url.Parse("http://x" + from)
	if err != nil {
		return "", false
	}
	to := at.ResolveReference(&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery})
	target := cmp.Or(to.EscapedPath(), "/")
	if to.RawQuery != "" {
		target += "?" + to.RawQuery
	}
	return target, true
}

// linkStage requests what public answers refer to.
func linkStage(st *state) []Request {
	requested := map[string]bool{}
	for _, x := range st.log {
		if x.Purpose == Link {
			requested[x.Target] = true
		}
	}
	var all []Request
	for _, x := range st.log {
		if !st.public(x) {
			continue
		}
		for _, target := range st.links(x) {
			if !requested[target] && len(requested) < maxLinks {
				requested[target] = true
				all = append(all, Request{Purpose: Link, Method: http.MethodGet, Target: target, As: Anonymous, Variant: x.Target, Route: -1})
			}
		}
	}
	return all
}

// links returns the targets on the same host that a public answer refers to. A sitemap
// names the public host of the service, which may differ from the one requested.
func (st *state) links(x Exchange) []string {
	from, host := x.Target, st.Host
	if n := len(x.Via); n > 0 {
		from = x.Via[n-1]
	}
	if m := base.FindStringSubmatch(x.Body); m != nil {
		if b, ok := sameHost(from, m[1], host); ok {
			from = b
		}
	}
	var targets []string
	for _, ref := range references(x) {
		if u, err := url.Parse(ref); err == nil && isSitemap(x.Body) {
			host = u.Host
		}
		if target, ok := sameHost(from, ref, host); ok && !strings.HasPrefix(ref, "#") {
			targets = append(targets, target)
		}
	}
	return targets
}

func isSitemap(body string) bool {
	return sitemapRoot.MatchString(body)
}

// public reports whether anyone may read an answer: a page, the plain answer of a public
// route, or a file that one of these loads.
func (st *state) public(x Exchange) bool {
	if x.Err != nil || x.Status != http.StatusOK || x.Direct || x.As != Anonymous {
		return false
	}
	switch x.Purpose {
	case Page:
		return x.Variant == ""
	case Plain:
		return st.Routes[x.Route].Public
	case Link:
		kind := strings.ToLower(x.Answer.Header.Get("Content-Type"))
		return strings.Contains(kind, "css") || strings.Contains(kind, "javascript") || isSitemap(x.Body)
	}
	return false
}
