package probe

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// accounts checks whether answers to wrong passwords reveal which accounts exist.
func (e *evaluation) accounts() {
	known, others := map[string][]Exchange{}, map[bool][]Exchange{}
	var names []string
	for _, x := range e.log {
		if x.Purpose != Account || x.Err != nil {
			continue
		}
		if guessLimited(x) {
			e.note("%s %s with wrong passwords: no more were sent after a limit answered %d", x.Method, x.Target, x.Status)
			continue
		}
		if strings.HasPrefix(x.Variant, fakePrefix) {
			others[isEmail(x.Variant)] = append(others[isEmail(x.Variant)], x)
			continue
		}
		if known[x.Variant] == nil {
			names = append(names, x.Variant)
		}
		known[x.Variant] = append(known[x.Variant], x)
	}
	e.noteUniformStatus()
	for _, name := range names {
		if theirs := others[isEmail(name)]; len(theirs) > 0 {
			e.account(name, known[name], theirs)
		}
	}
}

// noteUniformStatus notes that a login answered all tries as it would an invalid request, so
// that nothing was compared.
func (e *evaluation) noteUniformStatus() {
	var all []Exchange
	for _, x := range e.log {
		if x.Purpose == Account && x.Route < 0 && x.Err == nil {
			all = append(all, x)
		}
	}
	if len(all) == 0 || slices.ContainsFunc(all, func(x Exchange) bool { return x.Status != all[0].Status }) {
		return
	}
	switch x := all[0]; x.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		e.note("%s %s answers %d to all tries, so it may not have looked for the account: check the path, the method and the body", x.Method, x.Target, x.Status)
	}
}

// isEmail reports whether the name of an account is an email address. A login may refuse
// other names before it looks for an account.
func isEmail(name string) bool { return strings.Contains(name, "@") }

func (e *evaluation) account(name string, known, others []Exchange) {
	a, b := traits(known[0]), traits(others[0])
	same := func(xs []Exchange, want []trait) bool {
		return !slices.ContainsFunc(xs, func(x Exchange) bool { return !slices.Equal(traits(x), want) })
	}
	if !slices.Equal(a, b) && same(known, a) && same(others, b) {
		i := slices.IndexFunc(a, func(one trait) bool { return !slices.Contains(b, one) })
		e.find(FaultUserEnumeration, known[0], fmt.Sprintf("%s for %s", a[i].shown(known[0]), name),
			fmt.Sprintf("%s, as for an account that does not exist", b[i].shown(others[0])), "The "+a[i].what+" of the answer to a wrong password reveals whether the account exists.")
	}
	took, other := times(known), times(others)
	slow, fast, slower := took, other, name
	if took[len(took)/2] < other[len(other)/2] {
		slow, fast, slower = other, took, "an account that does not exist"
	}
	if len(known) < AccountTries || len(others) < AccountTries || !distinguishable(slow, fast) {
		return
	}
	e.find(FaultUserTiming, known[0], fmt.Sprintf("%v for %s", slow[len(slow)/2].Round(time.Millisecond), slower), fmt.Sprintf("%v, as for the other account", fast[len(fast)/2].Round(time.Millisecond)),
		"A wrong password takes a different time for an account that exists than for one that does not.")
}

// minDelay is the least difference of times that is not taken for noise.
const minDelay = 5 * time.Millisecond

// distinguishable reports whether all times of two sorted groups differ by more than noise,
// except one outlier in a group larger than [AccountTries].
func distinguishable(slow, fast []time.Duration) bool {
	lowest, highest := slow[0], fast[len(fast)-1]
	if len(slow) > AccountTries {
		lowest = slow[1]
	}
	if len(fast) > AccountTries {
		highest = fast[len(fast)-2]
	}
	return lowest-highest > minDelay && slow[len(slow)/2] > fast[len(fast)/2]*3/2
}

// trait is a property by which answers can be told apart.
type trait struct{ what, value string }

// shown returns the trait with the status.
func (a trait) shown(x Exchange) string {
	switch {
	case a.what == "status":
		return a.value
	case a.what == "body":
		return status(x.Answer) + " " + excerpt(x.Body)
	}
	return status(x.Answer) + " with " + a.what + ": " + cmp.Or(a.value, "none")
}

// traits returns the traits of an answer, without the name of the account and what is new
// in each answer.
func traits(x Exchange) []trait {
	nameless := func(text string) string {
		for _, name := range []string{x.Variant, html.EscapeString(x.Variant), url.QueryEscape(x.Variant)} {
			text = strings.ReplaceAll(text, name, "NAME")
		}
		return withoutVolatile(text)
	}
	h := x.Answer.Header
	var cookies []string
	for _, c := range (&http.Response{Header: h}).Cookies() {
		cookies = append(cookies, c.Name)
	}
	slices.Sort(cookies)
	return []trait{
		{"status", status(x.Answer)}, {"WWW-Authenticate", stableChallenges(x)}, {"Location", nameless(h.Get("Location"))},
		{"Set-Cookie", strings.Join(cookies, ", ")}, {"body", nameless(x.Body)}, {"Content-Type", h.Get("Content-Type")},
	}
}

func times(xs []Exchange) []time.Duration {
	var all []time.Duration
	for _, x := range xs {
		all = append(all, x.Took)
	}
	slices.Sort(all)
	return all
}

// wrongPassword checks the answer to a single wrong password. Basic credentials must get
// 401; a login must not answer with a success or, unless with a page, 403.
func (e *evaluation) wrongPassword(x Exchange) {
	if x.Route >= 0 {
		e.badCredentials(x)
		return
	}
	switch {
	case x.Err != nil:
		e.find(FaultNoAnswer, x, "no answer", "401", "The connection ended without a response: "+x.Err.Error()+".")
	case x.Status >= 500 && !outage(x.Answer):
		e.find(FaultServerError, x, status(x.Answer), "401", "A wrong password causes a server error.")
	case x.Status == http.StatusForbidden && guessLimited(x):
		e.find(FaultRateLimitForbidden, x, "403", "429", "A limit on guessing answers 403, which tells clients to stop for good; 429 tells them to wait.")
	case guessLimited(x), isPage(x), redirects(x.Status):
	case x.Status == http.StatusForbidden:
		e.find(FaultBadCredentialsStatus, x, "403", "401", "A wrong password does not identify anyone; 403 tells clients not to try another.")
	case x.Status < 300 && denial(x):
		e.find(FaultSoftDenial, x, status(x.Answer), "401", "The body says that signing in failed, but the status says success: "+excerpt(x.Body)+".")
	}
}
