// Package probe tests who gets what from an HTTP service, by one set of rules: no
// usable identity gets 401 with a challenge, a known one without the right gets
// 403, and no spelling of a request bypasses either.
//
// Requests are planned as data, responses are evaluated as data, and findings have
// stable codes ([Faults]). [Run] sends a plan with a [Sender], which for services
// on a network is a [Client]. The rules are independent of frameworks;
// authtest.Audit and the command "sallyport probe" are two front ends for them.
package probe

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Anonymous names the sender of requests without credentials, in findings and
// plans.
const Anonymous = "anonymous"

// Identity is somebody whose credentials the service accepts.
type Identity struct {
	// Name is for findings; it must not be empty or [Anonymous].
	Name string
	// Header holds the credentials, as fields to send.
	Header []core.Field
	// Bad says that the credentials must be refused with 401, for example because
	// they have expired or were revoked. It is implied for a bearer token with an
	// exp in the past.
	Bad bool
}

// Route is a route of the service.
type Route struct {
	// Method is the method, or "" or "*" for GET.
	Method string
	// Pattern is the route as registered, in the spelling of any framework.
	Pattern string
	// Path is the path to send, or "" for one made by [SamplePath].
	Path string
	// Public says that anyone may get it.
	Public bool
	// Write is the consent to send a method other than GET, HEAD and OPTIONS.
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

// Settings describes what to ask a service, and what to expect.
type Settings struct {
	// Host is the host of the service with its port, if that is in its address:
	// redirects and links to another one are not followed.
	Host string
	// Base is a path prefix of all routes, such as "/v1".
	Base       string
	Routes     []Route
	Identities []Identity
	// Expect is what somebody signed in should get for a path as sent; nil if
	// nothing is known. A path that is not a spelling of a route is asked about,
	// too.
	Expect func(as, method, path string) Verdict
	// Words are names of roles and rules, which no refusal may hold.
	Words []string
	// Origin is the Origin of requests from a page of another site; "" for
	// https://app.example.
	Origin string
	// Direct says that there is a second way to the service, behind its proxy,
	// and that both are to be compared.
	Direct bool
	// Users are names of accounts, whose existence a refusal must not reveal.
	Users []string
	// Login is where accounts sign in, or nil. It needs one of Users, or an
	// identity with Basic credentials.
	Login *Login
}

// Purpose says which rule a request is for.
type Purpose string

// The purposes of requests.
const (
	// Reach asks for a path that no service has.
	Reach Purpose = "reach"
	// Plain asks for a route as it is registered.
	Plain Purpose = "plain"
	// Again asks for a route once more, after somebody else did.
	Again Purpose = "again"
	// Fresh asks for a route with a query that no cache has seen.
	Fresh Purpose = "fresh"
	// BadCredentials asks with credentials that nobody may accept.
	BadCredentials Purpose = "bad credentials"
	// Navigation asks as a browser does that goes to a page.
	Navigation Purpose = "navigation"
	// Spelling and Method ask for a refused route in another way.
	Spelling Purpose = "spelling"
	Method   Purpose = "method"
	// CrossOrigin and Preflight ask as a page of another site does.
	CrossOrigin Purpose = "cross-origin"
	Preflight   Purpose = "preflight"
	// Crawler asks as a crawler does.
	Crawler Purpose = "crawler"
	// Page asks for what crawlers and visitors begin with, and Link for what
	// these refer to.
	Page Purpose = "page"
	Link Purpose = "link"
	// Account asks with a wrong password for an account, with Basic credentials
	// or at the login.
	Account Purpose = "account"
	// Form asks for the form of the login, whose hidden fields and cookies the next
	// request there brings along.
	Form Purpose = "form"
	// Burst asks the same many times.
	Burst Purpose = "burst"
)

// Request is one request of a plan.
type Request struct {
	Purpose Purpose
	Method  string
	// Target is the request target as sent: nothing cleans it.
	Target string
	Header []core.Field
	// Content is the body; most requests have none.
	Content string
	// As names the sender: [Anonymous], the name of an identity, or a kind of bad
	// credentials.
	As string
	// Variant is what differs from the plain request, or the page of a link.
	Variant string
	// Route is the number of the route in the settings, or -1.
	Route int
	// Direct says that it goes to the service and not to the proxy in front.
	Direct bool
}

// Answer is a complete response, or why there is none.
type Answer struct {
	Status int
	Header http.Header
	// Body is at most [MaxBody] bytes of the body.
	Body string
	// Took is how long it took, from sending to the head of the response.
	Took time.Duration
	// Via are the targets on the same host that redirects led to; Status,
	// Header and Body are then those of the last.
	Via []string
	// First is the status of the redirect when there is a Via.
	First int
	Err   error
}

// MaxBody is how much of a response body is examined, in bytes.
const MaxBody = 256 << 10

// Exchange is a request and its answer.
type Exchange struct {
	Request
	Answer
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
	// As is who sent it.
	As string `json:"as"`
	// Got and Want begin with a status where it is about one.
	Got  string `json:"got"`
	Want string `json:"want"`
	// Detail says what was seen, for people.
	Detail string `json:"detail"`
	// Request is a request that shows it.
	Request Request `json:"-"`
}

// Report is the result of a run.
type Report struct {
	Findings []Finding
	// Exchanges are all requests with their answers, in order.
	Exchanges []Exchange
	// Notes say what could not be evaluated.
	Notes []string
}
