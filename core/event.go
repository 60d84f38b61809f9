package core

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/option"
)

// Outcome is the result of a request at a gate, in one word.
type Outcome string

// The outcomes. Unauthenticated ones (401) point at identity plumbing, forbidden
// ones (403) at policy plumbing.
const (
	OutcomeAllowed         Outcome = "allowed"
	OutcomePreflight       Outcome = "preflight"
	OutcomeUnauthenticated Outcome = "unauthenticated"
	OutcomeForbidden       Outcome = "forbidden"
	OutcomeBadRequest      Outcome = "bad_request"
	OutcomeUnavailable     Outcome = "unavailable"
	OutcomeError           Outcome = "error"
	OutcomeLimited         Outcome = "limited"
	// OutcomeClientGone means that the client hung up before the gate could decide.
	// It is not an outage: nobody is waiting for the response.
	OutcomeClientGone Outcome = "client_gone"
)

// StatusClientGone is the status in the event of a request whose client hung
// up, as web servers log it. It is never sent.
const StatusClientGone = 499

var outcomes = [...]Outcome{
	Unauthenticated: OutcomeUnauthenticated,
	Forbidden:       OutcomeForbidden,
	Ambiguous:       OutcomeBadRequest,
	Unavailable:     OutcomeUnavailable,
	Faulty:          OutcomeError,
	Limited:         OutcomeLimited,
}

// Event describes one verdict to an [Observer]. It holds no secrets: no header,
// cookie, query, password or token. It does hold personal data, which
// [WithPseudonyms] replaces. Strings from the client are unchanged, so an observer
// that writes lines must escape them, as [LogObserver] does.
type Event struct {
	Time    time.Time
	Outcome Outcome
	// Status is the status of the response: 200 for an allowed request, whatever
	// the handler then responds, and [StatusClientGone] if nobody is waiting for
	// one.
	Status int
	Reason Reason
	// Gate is the gate that decided: "authenticate", "optional", "authorize",
	// "require", "check", "sign_in" ([Guard.SignIn], [Guard.SignInElsewhere]),
	// "refresh" ([Guard.Refresh]), "logout" ([Guard.LogoutElsewhere]) or "recheck"
	// ([Recheck]; refusals only).
	Gate string
	// Scheme is the scheme whose credentials were found; "" for none.
	Scheme string
	// PrincipalID is "" while the principal is unknown.
	PrincipalID string
	Method      string
	// Route is the matched pattern and Resource the canonical path; both are "" if
	// the path was refused or not examined.
	Route, Resource string
	// Action is the action that the rules decided on: the method, or the name given
	// with [WithAction]; "" for a request that was refused before the rules.
	Action string
	// ResourceName is the name given with [WithResourceName], or "".
	ResourceName string
	// Rule is the rule that decided, if known ("policy.csv:12").
	Rule string
	// Revision is the revision of the policy that decided, if it has one: for files
	// a hash of their content, which has no order; for a source that instances
	// share, its revision number.
	Revision string
	// RequestID is the X-Request-Id of the client or proxy, up to 1 KiB of it. TraceID is what
	// [WithTraceID] returns, or the trace-id of traceparent (W3C Trace Context
	// §3.2).
	RequestID, TraceID string
	// PassedBefore reports that an earlier gate, of this guard or another, let the
	// request pass. To count requests, count refusals, and allowed ones without
	// PassedBefore.
	PassedBefore bool
	// Reused reports that no scheme was asked, because the gate relied on an
	// earlier run of gate one.
	Reused   bool
	Duration time.Duration
	// Cause is the error behind a refusal, or why the credentials of an anonymous
	// request have lapsed. It is for operators only.
	Cause error

	challenges *Denial     // whose challenges Challenges returns; nil for none
	client     netip.Addr  // for ClientAddr
	peer       string      // "host:port" of the peer, parsed on demand if client is not set
	principal  *Principal  // for the roles and Tenant
	attributes Attributes  // for Attributes
	folded     int         // for FoldedBytes
	readings   int         // for OtherReadings
	pseudonyms *Pseudonyms // which replace names; nil for none
}

// Roles yields the roles that a known principal had at the gate, including those
// that a policy gave it. A refusal by policy was based on them.
func (e *Event) Roles() iter.Seq[string] {
	return func(yield func(string) bool) {
		if e.principal != nil {
			e.principal.eachRole(true, func(role string) bool { return yield(e.shown(role)) })
		}
	}
}

// CredentialRoles yields the roles in the credentials. AddedRoles yields the rest
// of Roles.
func (e *Event) CredentialRoles() iter.Seq[string] {
	return func(yield func(string) bool) {
		if e.principal != nil {
			e.principal.CredentialRoles()(func(role string) bool { return yield(e.shown(role)) })
		}
	}
}

// AddedRoles yields the roles that the policy or another source of roles added.
func (e *Event) AddedRoles() iter.Seq[string] {
	return func(yield func(string) bool) {
		if e.principal != nil {
			e.principal.eachRole(false, func(role string) bool { return yield(e.shown(role)) })
		}
	}
}

// shown returns name, or its pseudonym.
func (e *Event) shown(name string) string {
	if e.pseudonyms != nil {
		return e.pseudonyms.Of(name)
	}
	return name
}

// Challenges returns the challenges of the response, or nil. They are shared and
// must not be modified.
func (e *Event) Challenges() []challenge.Challenge {
	if e.challenges == nil {
		return nil
	}
	return e.challenges.Challenges
}

// Tenant returns the tenant in which the gate decided on a known principal, or "".
func (e *Event) Tenant() string {
	if e.principal == nil {
		return ""
	}
	return e.shown(e.principal.Tenant())
}

// Attributes yields the facts besides principal, action and resource that a policy
// based its decision on ([Decision].Attributes), by name.
func (e *Event) Attributes() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if e.attributes == nil {
			return
		}
		if e.pseudonyms == nil {
			e.attributes.All()(yield)
			return
		}
		for name, value := range e.attributes.All() {
			if !yield(name, e.shown(value)) {
				return
			}
		}
	}
}

// FoldedBytes returns the length in bytes of the prefix of the resource that the
// application may have registered in another letter case ([Resource].Folded).
func (e *Event) FoldedBytes() int { return e.folded }

// OtherReadings returns the number of further resources that the request could be
// for, on each of which the rules decided too ([Route].Alternatives).
func (e *Event) OtherReadings() int { return e.readings }

// ObserverFunc adapts a function to an [Observer].
type ObserverFunc func(ctx context.Context, e Event)

// Observe calls f.
func (f ObserverFunc) Observe(ctx context.Context, e Event) { f(ctx, e) }

// CounterFunc adapts a function that counts verdicts to an [Observer]. A guard whose
// observers are all counters leaves Time, Duration, RequestID, TraceID and the client
// address out of its events, except those of [Recheck]. That spares a request on Gin some
// 0.2 µs, most of it for two readings of the clock.
type CounterFunc func(ctx context.Context, e Event)

// Observe calls f.
func (f CounterFunc) Observe(ctx context.Context, e Event) { f(ctx, e) }

// maxLogged is the maximum number of bytes of a client-chosen string in a log line.
const maxLogged = 256

// LogObserver writes each event to logger: allowed requests and those whose client
// hung up (499) at level info, refusals (400, 401, 403, 429) and a 503 with a
// reason other than dependency_unavailable at warn, and other failures (500, 503)
// at error. If logger is nil, it calls [slog.Default] for each event.
//
// Control, bidirectional and other unprintable characters are escaped and long
// strings are truncated, so that no client can forge or hide a line, whatever
// handler the logger has.
func LogObserver(logger *slog.Logger) Observer {
	return ObserverFunc(func(ctx context.Context, e Event) {
		l := logger
		if l == nil {
			l = slog.Default()
		}
		level := slog.LevelWarn
		switch e.Outcome {
		case OutcomeAllowed, OutcomePreflight, OutcomeClientGone:
			level = slog.LevelInfo
		case OutcomeError:
			level = slog.LevelError
		case OutcomeUnavailable:
			if e.Reason == ReasonUnavailable || e.Reason == "" {
				level = slog.LevelError
			}
		}
		if !l.Enabled(ctx, level) {
			return
		}
		attrs := make([]slog.Attr, 0, 19)
		attrs = append(attrs,
			slog.String("outcome", string(e.Outcome)),
			slog.Int("status", e.Status),
			slog.String("reason", printable(string(e.Reason))),
			slog.String("gate", e.Gate),
			slog.String("method", printable(e.Method)))
		for _, a := range []struct{ key, value string }{
			{"route", e.Route}, {"resource", e.Resource}, {"scheme", e.Scheme},
			{"principal", e.PrincipalID}, {"client", e.ClientAddr()}, {"rule", e.Rule}, {"revision", e.Revision},
			{"request_id", e.RequestID}, {"trace_id", e.TraceID},
		} {
			if a.value != "" {
				attrs = append(attrs, slog.String(a.key, printable(a.value)))
			}
		}
		if e.Outcome == OutcomeForbidden {
			tenant, roles := tenantAndRoles(e)
			if tenant != "" {
				attrs = append(attrs, slog.String("tenant", printable(tenant)))
			}
			if roles != "" {
				attrs = append(attrs, slog.String("roles", printable(roles)))
			}
		}
		if e.Cause != nil {
			attrs = append(attrs, slog.String("cause", printable(e.Cause.Error())))
		}
		attrs = append(attrs, slog.Duration("duration", e.Duration))
		l.LogAttrs(ctx, level, "access", attrs...)
	})
}

// tenantAndRoles takes a copy of the event, so that the event escapes to the heap only
// for a refusal by policy.
func tenantAndRoles(e Event) (tenant, roles string) {
	return e.Tenant(), strings.Join(slices.Collect(e.Roles()), ",")
}

// printable returns the first maxLogged bytes of s with unprintable characters
// escaped as in Go.
func printable(s string) string {
	cut := ""
	if len(s) > maxLogged {
		s, cut = s[:maxLogged], "…"
	}
	i := 0
	for i < len(s) && ' ' <= s[i] && s[i] <= '~' {
		i++
	}
	if i == len(s) {
		return s + cut
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x`)
			b.WriteString(strconv.FormatUint(uint64(s[i]), 16))
		case unicode.IsPrint(r):
			b.WriteString(s[i : i+n])
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		i += n
	}
	return b.String() + cut
}

// WithTraceID sets a function that returns the trace ID for events, such as that of
// the span that a middleware has put into the context, which is known even if the
// service itself started the trace. If of returns "", Traceparent is used.
func WithTraceID(of func(ctx context.Context) string) Option {
	return func(g *Guard) error { return option.Set(&g.traceID, of, "trace ID is nil") }
}

// maxTraceparent is the maximum length in bytes of a traceparent field; today's has 55.
const maxTraceparent = 256

// traceID returns the trace-id of a traceparent field, or "".
func traceID(traceparent string) string {
	if len(traceparent) < 55 || len(traceparent) > maxTraceparent || traceparent[2] != '-' || traceparent[35] != '-' {
		return ""
	}
	id := traceparent[3:35]
	if id == "00000000000000000000000000000000" || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id
}

// observe tells every observer, even if one panics.
func (g *Guard) observe(ctx context.Context, e *Event) {
	if g.pseudonyms != nil {
		g.pseudonyms.event(e)
	}
	for _, o := range g.observers {
		observeOne(ctx, o, e, g)
	}
}

// log logs to the guard's logger. A panic in its handler changes no verdict either.
func (g *Guard) log(ctx context.Context, level slog.Level, text string, args ...any) {
	defer func() { _ = recover() }()
	g.logger.Log(ctx, level, text, args...)
}

// panicText returns the text of a panic for the log.
func (g *Guard) panicText(v any) string {
	if g.pseudonyms != nil {
		return g.pseudonyms.Of(fmt.Sprint(v))
	}
	return fmt.Sprint(v)
}

func observeOne(ctx context.Context, o Observer, e *Event, g *Guard) {
	defer func() {
		if v := recover(); v != nil {
			g.log(ctx, slog.LevelError, "observer panicked", "panic", g.panicText(v))
		}
	}()
	switch f := o.(type) { // a function by itself spares a copy
	case ObserverFunc:
		f(ctx, *e)
	case CounterFunc:
		f(ctx, *e)
	default:
		o.Observe(ctx, *e)
	}
}
