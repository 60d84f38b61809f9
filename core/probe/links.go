package probe

import (
	"cmp"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// maxLinks is the maximum number of links requested.
const maxLinks = 200

var (
	// comments and scripts contain no links of the page.
	unlinked = regexp.MustCompile(`(?is)<!--.*?-->|(<script\b[^>]*>).*?</script>`)
	tags     = regexp.MustCompile(`(?is)<(a|area|link|script|img|iframe|frame|source|video|audio|embed|object|track|input|image|use)\b[^>]*>`)
	refs     = regexp.MustCompile(`(?is)\s(href|src|poster|data|xlink:href|srcset)\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+)`)
	refresh  = regexp.MustCompile(`(?is)<meta\b[^>]*http-equiv\s*=\s*["']?refresh["']?[^>]*content\s*=\s*["'][^"']*url=([^"']+)["']`)
	fetches  = regexp.MustCompile("(?i)\\b(?:fetch|import|XMLHttpRequest|EventSource|WebSocket|Worker|axios\\.get)\\(\\s*[\"'`]([^\"'`\\s$]+)[\"'`]")
	cssURL   = regexp.MustCompile(`(?i)url\(\s*["']?([^"')]+)["']?\s*\)|@import\s+["']([^"']+)["']`)
	base     = regexp.MustCompile(`(?is)<base\b[^>]*href\s*=\s*["']?([^"'\s>]+)`)
	locs     = regexp.MustCompile(`(?is)<loc>\s*(.*?)\s*</loc>`)
	// sitemapRoot is the first element of a sitemap. A page may show one.
	sitemapRoot = regexp.MustCompile(`^\s*(<\?xml[^>]*>\s*|<!--(?s:.*?)-->\s*)*<(urlset|sitemapindex)\b`)
	sitemaps    = regexp.MustCompile(`(?im)^\s*sitemap\s*:\s*(\S+)`)
)

// references returns the addresses that a public answer refers to, as written.
func references(x Exchange) []string {
	kind := strings.ToLower(x.Answer.Header.Get("Content-Type"))
	body := x.Body
	var found []string
	add := func(ref string) { found = append(found, html.UnescapeString(strings.TrimSpace(ref))) }
	first := func(re *regexp.Regexp) {
		for _, m := range re.FindAllStringSubmatch(body, -1) {
			add(m[1])
		}
	}
	switch {
	case strings.Contains(kind, "html"):
		first(fetches)
		body = unlinked.ReplaceAllString(body, "$1")
		for _, tag := range tags.FindAllString(body, -1) {
			for _, m := range refs.FindAllStringSubmatch(tag, -1) {
				value := strings.Trim(m[2], `"'`)
				if !strings.EqualFold(m[1], "srcset") {
					add(value)
					continue
				}
				for part := range strings.SplitSeq(value, ",") {
					add(strings.Split(strings.TrimSpace(part)+" ", " ")[0])
				}
			}
		}
		first(refresh)
		styles(body, add)
	case strings.Contains(kind, "css"):
		styles(body, add)
	case strings.Contains(kind, "javascript"):
		first(fetches)
	case isSitemap(body):
		first(locs)
	case strings.HasSuffix(x.Target, "/robots.txt"):
		first(sitemaps)
	}
	return found
}

func styles(body string, add func(string)) {
	for _, m := range cssURL.FindAllStringSubmatch(body, -1) {
		add(m[1] + m[2])
	}
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
	if u.Host != "" && !strings.EqualFold(u.Host, host) {
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

// linkStage requests what public pages, style sheets and sitemaps refer to.
func linkStage(st *state) []Request {
	asked := map[string]bool{}
	for _, x := range st.log {
		if x.Purpose == Link {
			asked[x.Target] = true
		}
	}
	var all []Request
	for _, x := range st.log {
		if !st.public(x) {
			continue
		}
		for _, target := range st.links(x) {
			if !asked[target] && len(asked) < maxLinks {
				asked[target] = true
				all = append(all, Request{Purpose: Link, Method: http.MethodGet, Target: target, As: Anonymous, Variant: x.Target, Route: -1})
			}
		}
	}
	return all
}

// links returns the targets on the same host that a public answer refers to. A
// sitemap uses the public name of the host, which may differ from the one used
// here.
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
// route, or what one of these loads.
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
