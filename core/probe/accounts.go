package probe

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// Login is where accounts sign in with a password: a form, or an endpoint that accepts
// JSON. Requests to it may change something; setting it gives consent. [Run] sends at most
// [AccountTries] wrong passwords for each of at most two accounts, and none after a rate
// limit.
type Login struct {
	// Method is the method, or "" for POST.
	Method string
	// Path is the path to send, below [Settings.Base].
	Path string
	// Body is the body to send, with placeholders {account} and {password}: JSON if
	// it begins with a brace, otherwise a form. "" stands for
	// "username={account}&password={password}". An endpoint that asks for the
	// account first needs no {password}. A form is fetched before each try, for its
	// hidden fields and cookies.
	Body string
}

// AccountTries is how many wrong passwords are sent for an existing account. Limits
// that lock an account usually start with the fifth.
const AccountTries = 4

// maxAccounts is the maximum number of existing accounts that are tried.
const maxAccounts = 2

// fakePrefix begins the names of accounts that do not exist.
const fakePrefix = "probe-"

const loginBody = "username={account}&password={password}"

func (l *Login) check(accounts []string) error {
	body := l.body()
	switch {
	case !strings.HasPrefix(l.Path, "/"):
		return errors.New("probe: login: the path must begin with /")
	case slices.Contains(safe, l.method()):
		return errors.New("probe: login: the method must be one that takes a body, such as POST")
	case !strings.Contains(body, "{account}"):
		return errors.New("probe: login: the body must contain {account}")
	case l.json() && !json.Valid([]byte(body)):
		return errors.New("probe: login: the body begins like JSON, but is not valid JSON")
	case len(accounts) == 0:
		return errors.New("probe: login: name an account that exists, to compare with one that does not")
	}
	return nil
}

func (l *Login) method() string { return cmp.Or(strings.ToUpper(l.Method), http.MethodPost) }

func (l *Login) body() string { return cmp.Or(l.Body, loginBody) }

func (l *Login) json() bool { return strings.HasPrefix(strings.TrimSpace(l.body()), "{") }

// try returns a request to sign in with a wrong password.
func (l *Login) try(base, name, password string) Request {
	kind, escape := "application/x-www-form-urlencoded", url.QueryEscape
	if l.json() {
		kind, escape = "application/json", inJSON
	}
	body := strings.NewReplacer("{account}", escape(name), "{password}", escape(password)).Replace(l.body())
	return Request{Purpose: Account, Method: l.method(), Target: base + l.Path, Content: body, As: asPassword, Variant: name, Route: -1,
		Header: []core.Field{{Name: "Content-Type", Value: kind}}}
}

// inJSON returns text as written between the quotes of a JSON string.
func inJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return text // cannot happen for a string
	}
	return string(quoted[1 : len(quoted)-1])
}

// accounts returns the existing accounts to try: those of Basic credentials before
// [Settings.Users], or after them if there is a login.
func (st *state) accounts() []string {
	var names []string
	add := func(all ...string) {
		for _, name := range all {
			if name != "" && len(name) <= 64 && len(names) < maxAccounts && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if st.Login != nil {
		add(st.Users...)
	}
	for _, id := range st.Identities {
		add(basicUser(id.Header))
	}
	add(st.Users...)
	return names
}

// basicUser returns the user of Basic credentials, or "".
func basicUser(header []core.Field) string {
	user, _ := basicPair(header)
	return user
}

// basicPair returns the user and the password of Basic credentials, or "" for both.
func basicPair(header []core.Field) (user, password string) {
	scheme, rest, _ := strings.Cut(field(header, "Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", ""
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return "", ""
	}
	user, password, _ = strings.Cut(string(raw), ":")
	return user, password
}

func basic(user, password string) core.Field {
	return core.Field{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// fakeAccount returns a name of about the same form as an account's, which no account has.
func fakeAccount(like string) string {
	local, domain, at := strings.Cut(like, "@")
	name := fakePrefix + strings.ToLower(rand.Text()[:min(len(local)+1, 20)])
	if at {
		name += "@" + domain
	}
	return name
}

// fakePassword returns a password that no account has.
func fakePassword() string { return fakePrefix + rand.Text() }

// Accounts returns the existing accounts for which a plan tries wrong passwords.
func Accounts(plan []Request) []string {
	var names []string
	for _, r := range plan {
		if r.Purpose == Account && !strings.HasPrefix(r.Variant, fakePrefix) && !slices.Contains(names, r.Variant) {
			names = append(names, r.Variant)
		}
	}
	return names
}

// accountStage tries wrong passwords for each account, among twice as many for accounts that
// do not exist: at the login if there is one, otherwise at the first route that accepts
// Basic credentials.
func accountStage(st *state) []Request {
	var try func(name string) Request
	if st.Login != nil {
		try = func(name string) Request { return st.Login.try(st.Base, name, fakePassword()) }
	}
	for _, i := range st.requested() {
		if try != nil {
			break
		}
		if !st.Routes[i].Write && st.refused(i, Anonymous) && st.offersBasic(i) {
			try = func(name string) Request {
				r := st.plain(i, asPassword, []core.Field{basic(name, fakePassword())})
				r.Purpose, r.Variant = Account, name
				return r
			}
		}
	}
	if try == nil {
		return nil
	}
	var all []Request
	for _, name := range st.accounts() {
		for range AccountTries {
			for _, one := range []string{fakeAccount(name), name, fakeAccount(name)} {
				if st.Login != nil && !st.Login.json() {
					all = append(all, st.Login.form(st.Base))
				}
				all = append(all, try(one))
			}
		}
	}
	return all
}

// limitReached reports whether a request is not sent because a limit on guessing was
// reached.
func (st *state) limitReached(r Request) bool {
	return (r.Purpose == Account || r.Purpose == Form) && slices.ContainsFunc(st.log, func(x Exchange) bool { return x.Purpose == Account && guessLimited(x) })
}

// guessLimited reports whether a limit on guessing refused a wrong password.
func guessLimited(x Exchange) bool {
	return x.Err == nil && (x.Status == http.StatusTooManyRequests || x.Status == http.StatusLocked || x.Status >= 400 && rateLimited(x.Answer))
}

// offersBasic reports whether a route accepts Basic credentials, or may do so.
func (st *state) offersBasic(i int) bool {
	if st.planOnly || slices.ContainsFunc(st.Identities, func(id Identity) bool { return basicUser(id.Header) != "" }) {
		return true
	}
	x, _ := st.log.first(Plain, i, Anonymous)
	all, err := challenge.Parse(x.Answer.Header.Values("WWW-Authenticate")...)
	return x.Status == http.StatusUnauthorized && err == nil &&
		slices.ContainsFunc(all, func(c challenge.Challenge) bool { return strings.EqualFold(c.Scheme(), "Basic") })
}
