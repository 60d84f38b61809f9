package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// origins checks what pages of other sites can read of refusals, if they may read
// the other answers of the route.
func (j *evaluation) origins() {
	for _, x := range j.log {
		if x.Err != nil || x.Status != http.StatusUnauthorized && x.Status != http.StatusForbidden {
			continue
		}
		switch {
		case x.Purpose != Preflight && x.Purpose != CrossOrigin, !j.shared(x.Route):
		case x.Purpose == Preflight:
			j.find(FaultPreflightRefused, x, status(x.Answer), "204", "Browsers send preflight requests without credentials, so that no page of another site gets further.")
		default:
			j.readable(x)
		}
	}
}

// shared reports whether pages of other sites may read an answer of a route.
func (j *evaluation) shared(route int) bool {
	return slices.ContainsFunc(j.log, func(x Exchange) bool {
		allowed := x.Answer.Header.Get("Access-Control-Allow-Origin")
		if x.Purpose != Preflight && x.Purpose != CrossOrigin || x.Route != route || allowed == "" {
			return false
		}
		if allowed != "*" && allowed != j.origin() {
			j.note("pages of %s may read answers, and others not: to have that judged, name it as the origin", allowed)
			return false
		}
		return true
	})
}

func (j *evaluation) readable(x Exchange) {
	allowed := x.Answer.Header.Get("Access-Control-Allow-Origin")
	if allowed != "*" && allowed != j.origin() {
		j.find(FaultCORSHidesRefusal, x, status(x.Answer)+" without Access-Control-Allow-Origin", status(x.Answer)+" with Access-Control-Allow-Origin",
			"A page of another site gets a network error in place of the status, and cannot tell that it should sign in.")
		return
	}
	if x.Status != http.StatusUnauthorized {
		return
	}
	exposed := directives(x.Answer.Header.Values("Access-Control-Expose-Headers"))
	if !slices.Contains(exposed, "www-authenticate") && !slices.Contains(exposed, "*") {
		j.find(FaultCORSHidesChallenge, x, "401 whose challenge is not exposed", "401 with Access-Control-Expose-Headers: WWW-Authenticate",
			"A page of another site can read the status, and not how to sign in.")
	}
}

func (j *evaluation) origin() string {
	if j.Origin == "" {
		return defaultOrigin
	}
	return j.Origin
}

// crawlers checks that crawlers get the same answers as people.
func (j *evaluation) crawlers() {
	for _, x := range j.log {
		if x.Direct || x.Err != nil {
			continue
		}
		switch x.Purpose {
		case Crawler:
			if plain, ok := j.answerTo(Plain, x.Route, Anonymous); ok {
				j.crawler(x, plain)
			}
		case Page:
			j.page(x)
		}
	}
}

func (j *evaluation) crawler(x, plain Exchange) {
	if plain.Err != nil {
		return
	}
	got, want := sentStatus(x.Answer), sentStatus(plain.Answer)
	passing := func(s int) bool { return s == http.StatusTooManyRequests || s >= 500 }
	if passing(got) || passing(want) {
		return
	}
	if got != want || got < 300 && denial(plain) != denial(x) {
		j.find(FaultCrawlerDifference, x, fmt.Sprintf("%d for %s", got, crawlerName(x.Variant)), fmt.Sprintf("%d, as for everybody", want),
			"The answer depends on User-Agent, which everybody can set.")
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

// page checks robots.txt, the sitemap and the first page.
func (j *evaluation) page(x Exchange) {
	if x.Variant != "" {
		for _, o := range j.log {
			if o.Purpose == Page && o.Variant == "" && o.Target == x.Target {
				j.crawler(x, o)
			}
		}
		return
	}
	nothing := j.nowhere()
	refused := x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden
	if refused && x.Target != "/" && nothing != x.Status {
		j.find(FaultCrawlerRefused, x, status(x.Answer), "200 or 404", "Crawlers take the refusal of this file for something other than it says (RFC 9309 §2.3.1).")
	}
}

// nowhere returns the status of a path that does not exist.
func (j *evaluation) nowhere() int {
	for _, x := range j.log {
		if x.Purpose == Reach && x.As == Anonymous {
			return x.Status
		}
	}
	return 0
}
