// Package probe tests who gets what from an HTTP service, by one set of rules: a request
// without a usable identity gets 401 with a challenge, a known user without the permission
// gets 403, and no spelling of a request bypasses either.
//
// Requests are planned as data, responses are evaluated as data, and findings have
// stable codes ([Faults]). [Run] sends a plan with a [Sender]; [Client] is the one for
// services on a network. The rules are independent of frameworks: authtest.Audit and the
// command "sallyport probe" both use them.
package probe

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Anonymous is the name, in plans and findings, of the sender of requests without
// credentials.
const Anonymous = "anonymous"

// Identity is a user or client with credentials that the service accepts.
type Identity struct {
	// Name identifies it in findings. It must not be empty or [Anonymous].
	Name string
	// Header holds the credentials, as fields to send.
	Header []core.Field
	// Bad says that the credentials must be refused with 401, for example because they
	// were revoked. A bearer token with an exp in the past is always taken as bad.
	Bad bool
}

// Route is a route of the service.
type Route struct {
	// Method is the method, or "" or "*" for GET.
	Method string
	// Pattern is the route as registered, in the syntax of any framework.
	Pattern string
	// Path is the path to send, or "" for one made by [SamplePath].
	Path string
	// Public says that no credentials are needed.
	Public bool
	// Write is the consent to send a Method other than GET, HEAD and OPTIONS.
	Write bool
}

// Verdict is a policy's decision on a request.
type Verdict int

// The verdicts. The zero Verdict says nothing.
const (
	Unknown Verdict = iota
	Allow
	Deny
)

// Settings describes what to request from a service, and what to expect.
type Settings struct {
	// Host is the host of the service, with the port if its address has one. Redirects
	// and links to other hosts are not followed.
	Host string
	// Base is a path prefix of all routes, such as "/v1".
	Base       string
	Routes     []Route
	Identities []Identity
	// Expect returns the policy's verdict on a request of an identity, for a path as
	// sent; nil if there is no policy. It must accept paths that match no route.
	Expect func(as, method, path string) Verdict
	// Words are names of roles and rules, which no refusal may contain.
	Words []string
	// Origin is the origin that cross-origin requests name; "" for https://app.example.
	Origin string
	// Direct says that the sender also reaches the service behind its proxy, and that
	// the two are to be compared.
	Direct bool
	// Users are names of accounts that exist, which a refusal must not reveal.
	Users []string
	// Login is where accounts sign in, or nil. It needs one of Users, or an identity
	// with Basic credentials.
	Login *Login
}

// Purpose says what a request tests.
type Purpose string

// The purposes of requests.
const (
	// Reach requests a path that no service has.
	Reach Purpose = "reach"
	// Plain requests a route as registered.
	Plain Purpose = "plain"
	// Again requests a route without credentials after identities have.
	Again Purpose = "again"
	// Fresh requests a route with a query that no cache has seen.
	Fresh Purpose = "fresh"
	// BadCredentials sends credentials that must not be accepted.
	BadCredentials Purpose = "bad credentials"
	// Navigation requests a route as a browser that navigates to a page.
	Navigation Purpose = "navigation"
	// Spelling and Method request a refused route by another path or method.
	Spelling Purpose = "spelling"
	Method   Purpose = "method"
	// CrossOrigin and Preflight request a route as a page of another origin.
	CrossOrigin Purpose = "cross-origin"
	Preflight   Purpose = "preflight"
	// Crawler requests a route as a crawler.
	Crawler Purpose = "crawler"
	// Page requests the entry points of crawlers and visitors, and Link what public
	// answers refer to.
	Page Purpose = "page"
	Link Purpose = "link"
	// Account tries a wrong password for an account, with Basic credentials or at the
	// login.
	Account Purpose = "account"
	// Form requests the form of the login, whose hidden fields and cookies the next
	// request sends.
	Form Purpose = "form"
	// Burst repeats a request many times.
	Burst Purpose = "burst"
)

// Request is one request of a plan.
type Request struct {
	Purpose Purpose
	Method  string
	// Target is the request target, sent as it is.
	Target string
	Header []core.Field
	// Content is the body; most requests have none.
	Content string
	// As names the sender: [Anonymous], the name of an identity, or a kind of bad
	// credentials.
	As string
	// Variant says what differs from the plain request, or which page has the link.
	Variant string
	// Route is the index of the route in the settings, or -1.
	Route int
	// Direct says that it goes to the service instead of the proxy in front.
	Direct bool
}

// Answer is a response, or the error that took its place.
type Answer struct {
	Status int
	Header http.Header
	// Body is at most [MaxBody] bytes of the body.
	Body string
	// Took is the time from sending the request to the head of the response.
	Took time.Duration
	// Via lists the targets on the same host that redirects led to; Status, Header and
	// Body are then those of the last.
	Via []string
	// First is the status of the first redirect, if there is a Via.
	First int
	Err   error
}

// MaxBody is how many bytes of a response body are examined.
const MaxBody = 256 << 10

// Exchange is a request and its answer.
type Exchange struct {
	Request
	Answer
}

// exchanges are the requests of a run so far, in order.
type exchanges []Exchange

// first returns the first exchange of a sender for a route, not counting those with the
// service behind its proxy.
func (all exchanges) first(p Purpose, route int, as string) (Exchange, bool) {
	for _, x := range all {
		if x.Purpose == p && x.Route == route && x.As == as && !x.Direct {
			return x, true
		}
	}
	return Exchange{}, false
}

// Sender sends one request. It does not follow redirects.
type Sender interface {
	Send(ctx context.Context, r Request) Answer
}

// Finding is a defect of a service.
type Finding struct {
	// Code is one of [Faults].
	Code   string `json:"code"`
	Method string `json:"method"`
	// Path is the path as sent.
	Path string `json:"path"`
	// As is the sender.
	As string `json:"as"`
	// Got and Want begin with a status if the finding is about one.
	Got  string `json:"got"`
	Want string `json:"want"`
	// Detail explains the finding.
	Detail string `json:"detail"`
	// Request reproduces it.
	Request Request `json:"-"`
}

// Report is the result of a run.
type Report struct {
	Findings []Finding
	// Exchanges lists all requests with their answers, in order.
	Exchanges []Exchange
	// Notes say what could not be evaluated.
	Notes []string
}
