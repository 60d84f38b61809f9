package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// crossOrigin checks what pages of other origins can read of refusals, if they may read
// other answers of the route.
func (e *evaluation) crossOrigin() {
	for _, x := range e.log {
		if !x.refused() {
			continue
		}
		switch {
		case x.Purpose != Preflight && x.Purpose != CrossOrigin, !e.corsEnabled(x.Route):
		case x.Purpose == Preflight:
			e.find(FaultPreflightRefused, x, status(x.Answer), "204", "Browsers send preflight requests without credentials, so no page of another origin gets past it.")
		default:
			e.corsRefusal(x)
		}
	}
}

// corsEnabled reports whether pages of other origins may read an answer of a route.
func (e *evaluation) corsEnabled(route int) bool {
	return slices.ContainsFunc(e.log, func(x Exchange) bool {
		allowed := x.Answer.Header.Get("Access-Control-Allow-Origin")
		if x.Purpose != Preflight && x.Purpose != CrossOrigin || x.Route != route || allowed == "" {
			return false
		}
		if allowed != "*" && allowed != e.Origin {
			e.note("only pages of %s may read answers: to have that evaluated, name it as the origin", allowed)
			return false
		}
		return true
	})
}

func (e *evaluation) corsRefusal(x Exchange) {
	allowed := x.Answer.Header.Get("Access-Control-Allow-Origin")
	if allowed != "*" && allowed != e.Origin {
		e.find(FaultCORSHidesRefusal, x, status(x.Answer)+" without Access-Control-Allow-Origin", status(x.Answer)+" with Access-Control-Allow-Origin",
			"A page of another origin gets a network error instead of the status, and cannot tell that the user should sign in.")
		return
	}
	if x.Status != http.StatusUnauthorized {
		return
	}
	exposed := directives(x.Answer.Header.Values("Access-Control-Expose-Headers"))
	if !slices.Contains(exposed, "www-authenticate") && !slices.Contains(exposed, "*") {
		e.find(FaultCORSHidesChallenge, x, "401 whose challenge is not exposed", "401 with Access-Control-Expose-Headers: WWW-Authenticate",
			"A page of another origin can read the status, but not how to authenticate.")
	}
}

// crawlers checks that crawlers get the same answers as everyone.
func (e *evaluation) crawlers() {
	for _, x := range e.log {
		if x.Direct || x.Err != nil {
			continue
		}
		switch x.Purpose {
		case Crawler:
			if plain, ok := e.log.first(Plain, x.Route, Anonymous); ok {
				e.crawler(x, plain)
			}
		case Page:
			e.page(x)
		}
	}
}

func (e *evaluation) crawler(x, plain Exchange) {
	if plain.Err != nil {
		return
	}
	got, want := sentStatus(x.Answer), sentStatus(plain.Answer)
	transient := func(s int) bool { return s == http.StatusTooManyRequests || s >= 500 }
	if transient(got) || transient(want) {
		return
	}
	if got != want || got < 300 && denial(plain) != denial(x) {
		e.find(FaultCrawlerDifference, x, fmt.Sprintf("%d for %s", got, crawlerName(x.Variant)), fmt.Sprintf("%d, as for everyone", want),
			"The answer depends on User-Agent, which anyone can set.")
	}
}

func crawlerName(agent string) string {
	for _, name := range []string{"Googlebot", "bingbot", "facebookexternalhit", "GPTBot"} {
		if strings.Contains(agent, name) {
			return name
		}
	}
	return agent
}

// page checks robots.txt, the sitemap and the home page.
func (e *evaluation) page(x Exchange) {
	if x.Variant != "" {
		for _, o := range e.log {
			if o.Purpose == Page && o.Variant == "" && o.Target == x.Target {
				e.crawler(x, o)
			}
		}
		return
	}
	missing, _ := e.log.first(Reach, -1, Anonymous)
	if x.refused() && x.Target != "/" && missing.Status != x.Status {
		e.find(FaultCrawlerRefused, x, status(x.Answer), "200 or 404", "Crawlers treat a refused file as if it did not exist (RFC 9309 §2.3.1).")
	}
}
