package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// origins judges what pages of other sites can read, if any are to read
// anything.
func (j *judgement) origins() {
	if !slices.ContainsFunc(j.log, func(x Exchange) bool { return x.Answer.Header.Get("Access-Control-Allow-Origin") != "" }) {
		return
	}
	for _, x := range j.log {
		if x.Err != nil || x.Status != http.StatusUnauthorized && x.Status != http.StatusForbidden {
			continue
		}
		switch x.Purpose {
		case Preflight:
			j.find(FaultPreflightRefused, x, status(x.Answer), "204", "Browsers send preflight requests without credentials, so that no page of another site gets further.")
		case CrossOrigin:
			j.readable(x)
		}
	}
}

func (j *judgement) readable(x Exchange) {
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

func (j *judgement) origin() string {
	if j.Origin == "" {
		return defaultOrigin
	}
	return j.Origin
}

// crawlers judges whether crawlers are told what people are told.
func (j *judgement) crawlers() {
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

func (j *judgement) crawler(x, plain Exchange) {
	if plain.Err != nil {
		return
	}
	got, want := sentStatus(x.Answer), sentStatus(plain.Answer)
	passing := func(s int) bool { return s == http.StatusTooManyRequests || s >= 500 }
	if passing(got) || passing(want) {
		return
	}
	if got != want || got < 300 && denied(plain.Body) != denied(x.Body) {
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

// page judges robots.txt, the sitemap and the first page.
func (j *judgement) page(x Exchange) {
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
		j.find(FaultCrawlerRefused, x, status(x.Answer), "200 or 404", "Crawlers take the refusal of this file for something else than it says (RFC 9309 §2.3.1).")
	}
}

// nowhere is the status of a path that does not exist.
func (j *judgement) nowhere() int {
	for _, x := range j.log {
		if x.Purpose == Reach && x.As == Anonymous {
			return x.Status
		}
	}
	return 0
}

// accounts judges whether a refusal tells that an account exists.
func (j *judgement) accounts() {
	known := map[string][]Exchange{}
	others := map[string][]Exchange{}
	var last string
	var names []string
	for _, x := range j.log {
		if x.Purpose != Account || x.Err != nil || x.Status == http.StatusTooManyRequests {
			continue
		}
		if !strings.HasPrefix(x.Variant, "probe-") {
			last = x.Variant
			if known[last] == nil {
				names = append(names, last)
			}
			known[last] = append(known[last], x)
		} else {
			others[last] = append(others[last], x)
		}
	}
	for _, name := range names {
		if len(known[name]) == 0 || len(others[name]) == 0 {
			continue
		}
		j.account(name, known[name], others[name])
	}
}

func (j *judgement) account(name string, known, others []Exchange) {
	a, b := tells(known[0]), tells(others[0])
	same := func(xs []Exchange, want string) bool {
		return !slices.ContainsFunc(xs, func(x Exchange) bool { return tells(x) != want })
	}
	if a != b && same(known, a) && same(others, b) {
		j.find(FaultUserEnumeration, known[0], fmt.Sprintf("%d %s for %s", known[0].Status, excerpt(known[0].Body), name),
			fmt.Sprintf("%d %s, as for an account that does not exist", others[0].Status, excerpt(others[0].Body)), "The answer to a wrong password tells whether the account exists.")
	}
	slow, fast := times(known), times(others)
	slower := name
	if slow[len(slow)/2] < fast[len(fast)/2] {
		slow, fast, slower = fast, slow, "an account that does not exist"
	}
	ms, mf := slow[len(slow)/2], fast[len(fast)/2]
	if len(fast) >= accountTries/2 && len(slow) >= accountTries/2 && ms-mf > minDelay && ms > mf*3/2 && slow[1] > fast[len(fast)-2] {
		j.find(FaultUserTiming, known[0], fmt.Sprintf("%v for %s", ms.Round(time.Millisecond), slower), fmt.Sprintf("%v, as for the other", mf.Round(time.Millisecond)),
			"A wrong password for an account that exists takes another time than for one that does not.")
	}
}

// minDelay is how far times must be apart to be told from noise.
const minDelay = 5 * time.Millisecond

// tells is what an answer tells, without the name of the account.
func tells(x Exchange) string {
	return fmt.Sprint(x.Status, lasting(x), strings.ReplaceAll(x.Body, x.Variant, "NAME"))
}

func times(xs []Exchange) []time.Duration {
	var all []time.Duration
	for _, x := range xs {
		all = append(all, x.Took)
	}
	slices.Sort(all)
	return all
}
