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

// accounts checks whether an answer to a wrong password reveals that the account exists.
func (j *evaluation) accounts() {
	known, others := map[string][]Exchange{}, map[bool][]Exchange{}
	var names []string
	for _, x := range j.log {
		if x.Purpose != Account || x.Err != nil {
			continue
		}
		if guarded(x) {
			j.note("%s %s with wrong passwords: a limit answered %d, so that no more were sent", x.Method, x.Target, x.Status)
			continue
		}
		if strings.HasPrefix(x.Variant, madeUp) {
			others[mail(x.Variant)] = append(others[mail(x.Variant)], x)
			continue
		}
		if known[x.Variant] == nil {
			names = append(names, x.Variant)
		}
		known[x.Variant] = append(known[x.Variant], x)
	}
	j.unanswered()
	for _, name := range names {
		if theirs := others[mail(name)]; len(theirs) > 0 {
			j.account(name, known[name], theirs)
		}
	}
}

// unanswered notes that a login has answered all tries like an invalid request, so that
// nothing was compared.
func (j *evaluation) unanswered() {
	var all []Exchange
	for _, x := range j.log {
		if x.Purpose == Account && x.Route < 0 && x.Err == nil {
			all = append(all, x)
		}
	}
	if len(all) == 0 || slices.ContainsFunc(all, func(x Exchange) bool { return x.Status != all[0].Status }) {
		return
	}
	switch x := all[0]; x.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		j.note("%s %s answers %d to all tries, so that it may not have looked for the account: compare its path, method and body with what it takes", x.Method, x.Target, x.Status)
	}
}

// mail reports whether the name of an account is an email address: a login may
// refuse names that are not.
func mail(name string) bool { return strings.Contains(name, "@") }

func (j *evaluation) account(name string, known, others []Exchange) {
	a, b := tells(known[0]), tells(others[0])
	same := func(xs []Exchange, want []aspectOfAnswer) bool {
		return !slices.ContainsFunc(xs, func(x Exchange) bool { return !slices.Equal(tells(x), want) })
	}
	if !slices.Equal(a, b) && same(known, a) && same(others, b) {
		i := slices.IndexFunc(a, func(one aspectOfAnswer) bool { return !slices.Contains(b, one) })
		j.find(FaultUserEnumeration, known[0], fmt.Sprintf("%s for %s", a[i].shown(known[0]), name),
			fmt.Sprintf("%s, as for an account that does not exist", b[i].shown(others[0])), "The answer to a wrong password tells by its "+a[i].what+" whether the account exists.")
	}
	took, other := times(known), times(others)
	slow, fast, slower := took, other, name
	if took[len(took)/2] < other[len(other)/2] {
		slow, fast, slower = other, took, "an account that does not exist"
	}
	if len(known) < AccountTries || len(others) < AccountTries || !apart(slow, fast) {
		return
	}
	j.find(FaultUserTiming, known[0], fmt.Sprintf("%v for %s", slow[len(slow)/2].Round(time.Millisecond), slower), fmt.Sprintf("%v, as for the other account", fast[len(fast)/2].Round(time.Millisecond)),
		"A wrong password for an account that exists takes a different time from one for an account that does not.")
}

// minDelay is how much times must differ to be distinguished from noise.
const minDelay = 5 * time.Millisecond

// apart reports whether sorted times differ by more than noise: all of them, except
// one in each larger group that something else delayed.
func apart(slow, fast []time.Duration) bool {
	lowest, highest := slow[0], fast[len(fast)-1]
	if len(slow) > AccountTries {
		lowest = slow[1]
	}
	if len(fast) > AccountTries {
		highest = fast[len(fast)-2]
	}
	return lowest-highest > minDelay && slow[len(slow)/2] > fast[len(fast)/2]*3/2
}

// aspectOfAnswer is something by which answers can be distinguished.
type aspectOfAnswer struct{ what, value string }

// shown returns the aspect together with the status.
func (a aspectOfAnswer) shown(x Exchange) string {
	switch {
	case a.what == "status":
		return a.value
	case a.what == "body":
		return status(x.Answer) + " " + excerpt(x.Body)
	}
	return status(x.Answer) + " with " + a.what + ": " + cmp.Or(a.value, "none")
}

// tells returns what an answer reveals, without the name of the account and what is
// new in each answer.
func tells(x Exchange) []aspectOfAnswer {
	nameless := func(text string) string {
		for _, name := range []string{x.Variant, html.EscapeString(x.Variant), url.QueryEscape(x.Variant)} {
			text = strings.ReplaceAll(text, name, "NAME")
		}
		return gist(text)
	}
	h := x.Answer.Header
	var cookies []string
	for _, c := range (&http.Response{Header: h}).Cookies() {
		cookies = append(cookies, c.Name)
	}
	slices.Sort(cookies)
	return []aspectOfAnswer{
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

// wrongPassword checks the answer to a wrong password by itself: a gate must answer
// 401 to Basic credentials, and a login must not answer with a success or, except
// with a page, 403.
func (j *evaluation) wrongPassword(x Exchange) {
	if x.Route >= 0 {
		j.badCredentials(x)
		return
	}
	switch {
	case x.Err != nil:
		j.find(FaultNoAnswer, x, "no answer", "401", "The connection ended without a response: "+x.Err.Error()+".")
	case x.Status >= 500 && !outage(x.Answer):
		j.find(FaultServerError, x, status(x.Answer), "401", "A wrong password makes the login fail.")
	case x.Status == http.StatusForbidden && guarded(x):
		j.find(FaultRateLimitForbidden, x, "403", "429", "A limit on guessing answers 403, which tells clients to stop for good; 429 tells them to wait.")
	case guarded(x), isPage(x), redirects(x.Status):
	case x.Status == http.StatusForbidden:
		j.find(FaultBadCredentialsStatus, x, "403", "401", "A wrong password is no usable identity; 403 tells clients not to try another.")
	case x.Status < 300 && denial(x):
		j.find(FaultSoftDenial, x, status(x.Answer), "401", "The body says that signing in failed, and the status says success: "+excerpt(x.Body)+".")
	}
}
