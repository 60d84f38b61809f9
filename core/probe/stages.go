package probe

import (
	"crypto/rand"
	"net/http"

	"github.com/sallyport-go/sallyport/core"
)

// missingPath is a path that no service has.
const missingPath = "/sallyport-probe-nowhere"

// reachStage requests paths that do not exist. If a service answers them with a page,
// then the same page for another spelling of a refused path is not a bypass.
func reachStage(st *state) []Request {
	var all []Request
	for _, who := range st.callers() {
		for _, target := range []string{missingPath, missingPath + "/x/y"} {
			all = append(all, Request{Purpose: Reach, Method: http.MethodGet, Target: target, Header: who.header, As: who.name, Route: -1})
		}
		all = append(all, Request{Purpose: Reach, Method: http.MethodHead, Target: missingPath, Header: who.header, As: who.name, Route: -1})
	}
	return all
}

// plainStage requests each route without credentials, then as each identity, then without
// credentials again, which shows what a cache has stored.
func plainStage(st *state) []Request {
	var all []Request
	for _, i := range st.requested() {
		for _, who := range st.callersOf(i) {
			all = append(all, st.plain(i, who.name, who.header))
		}
		if len(st.good()) > 0 && !st.Routes[i].Write && !st.endsSession(i) {
			again := st.plain(i, Anonymous, nil)
			again.Purpose = Again
			all = append(all, again)
		}
	}
	return all
}

// cacheStage repeats refused requests of identities with a query that bypasses caches.
func cacheStage(st *state) []Request {
	var all []Request
	for _, i := range st.requested() {
		for _, id := range st.good() {
			if !st.Routes[i].Write && !st.endsSession(i) && st.refused(i, id.Name) {
				r := st.plain(i, id.Name, id.Header)
				r.Purpose, r.Target = Fresh, withQuery(r.Target, "probe="+rand.Text())
				all = append(all, r)
			}
		}
	}
	return all
}

// badStage sends bad credentials to each route that is not public.
func badStage(st *state) []Request {
	var all []Request
	for _, b := range badCredentials(st.Identities) {
		for _, i := range st.requested() {
			if st.Routes[i].Public || st.isOpen(i) {
				continue
			}
			r := st.plain(i, b.as, b.header)
			r.Purpose, r.Variant = BadCredentials, b.variant
			all = append(all, r)
		}
	}
	return all
}

// isOpen reports whether anyone gets a route, which is already a finding.
func (st *state) isOpen(i int) bool {
	x, ok := st.log.first(Plain, i, Anonymous)
	return ok && x.Err == nil && x.Status < 300
}

// navigation lists the fields that a browser adds when it navigates to a page.
var navigation = []core.Field{
	{Name: "Accept", Value: "text/html,application/xhtml+xml,*/*;q=0.8"},
	{Name: "Sec-Fetch-Site", Value: "none"}, {Name: "Sec-Fetch-Mode", Value: "navigate"}, {Name: "Sec-Fetch-Dest", Value: "document"},
}

// browserStage repeats refused requests as a browser sends them, since people may get a
// different answer than programs.
func browserStage(st *state) []Request {
	var all []Request
	for _, i := range st.requested() {
		for _, who := range st.callersOf(i) {
			if st.Routes[i].Write || !st.refused(i, who.name) {
				continue
			}
			r := st.plain(i, who.name, header(who.header, navigation...))
			r.Purpose, r.Variant = Navigation, "as a browser"
			all = append(all, r)
		}
	}
	return all
}

// variantStage repeats refused requests with other spellings and methods, as the same
// senders.
func variantStage(st *state) []Request {
	var all []Request
	for _, i := range st.requested() {
		for _, who := range st.callersOf(i) {
			if !st.refused(i, who.name) {
				continue
			}
			plain := st.plain(i, who.name, who.header)
			all = append(all, st.methodVariants(plain)...)
			for _, v := range spellings(st.Routes[i].Pattern, plain.Target) {
				r := plain
				r.Purpose, r.Target, r.Variant = Spelling, v.target, v.name
				all = append(all, r)
			}
		}
	}
	return all
}

func (st *state) methodVariants(plain Request) []Request {
	var all []Request
	for _, v := range methods(plain.Method) {
		r := plain
		r.Purpose, r.Method, r.Variant = Method, v.method, v.name
		r.Target, r.Header = withQuery(r.Target, v.query), header(r.Header, v.header...)
		all = append(all, r)
	}
	if twin := twins[plain.Method]; twin != "" {
		r := plain
		r.Purpose, r.Method, r.Variant = Method, twin, "method "+twin
		all = append(all, r)
	}
	return all
}

// originStage sends requests as a page of another origin does.
func originStage(st *state) []Request {
	origin := core.Field{Name: "Origin", Value: st.Origin}
	var all []Request
	for _, i := range st.requested() {
		if st.Routes[i].Write {
			continue
		}
		r := st.plain(i, Anonymous, []core.Field{origin})
		r.Purpose = Preflight
		r.Header = header(r.Header, core.Field{Name: "Access-Control-Request-Method", Value: r.Method},
			core.Field{Name: "Access-Control-Request-Headers", Value: "authorization"})
		r.Method = http.MethodOptions
		all = append(all, r)
		for _, who := range st.callersOf(i) {
			r := st.plain(i, who.name, header(who.header, origin))
			r.Purpose = CrossOrigin
			all = append(all, r)
		}
	}
	return all
}

// crawlers lists the User-Agent fields of crawlers.
var crawlers = []string{
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
	"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
	"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
	"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
}

// crawlerStage requests each route as a crawler.
func crawlerStage(st *state) []Request {
	var all []Request
	for _, i := range st.requested() {
		if st.Routes[i].Write {
			continue
		}
		for _, agent := range crawlers {
			r := st.plain(i, Anonymous, []core.Field{{Name: "User-Agent", Value: agent}})
			r.Purpose, r.Variant = Crawler, agent
			all = append(all, r)
		}
	}
	return all
}

// pageStage requests the entry points of crawlers and visitors, also as a crawler.
func pageStage(st *state) []Request {
	var all []Request
	for _, target := range []string{"/robots.txt", "/sitemap.xml", "/"} {
		r := Request{Purpose: Page, Method: http.MethodGet, Target: target, As: Anonymous, Route: -1}
		all = append(all, r)
		r.Header, r.Variant = []core.Field{{Name: "User-Agent", Value: crawlers[0]}}, crawlers[0]
		all = append(all, r)
	}
	return all
}

// burstSize is the number of requests in a burst.
const burstSize = 30

// burstStage requests each refused route many times, and the first one many times
// with bad credentials, to reach a rate limit if there is one.
func burstStage(st *state) []Request {
	var all []Request
	repeat := func(i int, as string, credentials []core.Field) {
		r := st.plain(i, as, credentials)
		r.Purpose = Burst
		for range burstSize {
			all = append(all, r)
		}
	}
	for _, i := range st.requested() {
		if st.Routes[i].Write || !st.refused(i, Anonymous) {
			continue
		}
		if all == nil {
			repeat(i, asMalformed, []core.Field{{Name: "Authorization", Value: "Bearer not-a-token"}})
		}
		repeat(i, Anonymous, nil)
	}
	return all
}
