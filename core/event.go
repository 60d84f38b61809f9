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

// Outcome says in one word what became of a request at a gate.
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
	// OutcomeClientGone is a request whose client hung up before the gate
	// could decide. It is no outage: nobody waits for the answer.
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

// Event is what an [Observer] is told of one verdict. It holds no secret: no
// header, cookie, query, password or token. It holds personal data, which
// [WithPseudonyms] replaces. Strings from the client are as it
// sent them, so an observer that writes lines must escape them, as
// [LogObserver] does.
type Event struct {
	Time    time.Time
	Outcome Outcome
	// Status is the status of the answer: 200 for allowed, whatever the
	// handler then answers, and [StatusClientGone] where nobody waits for one.
	Status int
	Reason Reason
	// Gate is the gate that decided: "authenticate", "optional",
	// "authorize", "require", "check", "sign_in" ([Guard.SignIn],
	// [Guard.SignInElsewhere]), "refresh" ([Guard.Refresh]), "logout"
	// ([Guard.LogoutElsewhere]) or "recheck" ([Recheck]), of which only refusals
	// are told.
	Gate string
	// Scheme is the scheme whose credentials were found; "" for none.
	Scheme string
	// PrincipalID is "" while the principal is unknown.
	PrincipalID string
	Method      string
	// Route is the matched pattern and Resource the canonical path; both ""
	// when the path was refused or not reached.
	Route, Resource string
	// Action is what the rules were asked about: the method, or the name given with
	// [WithAction]; "" for a request that was refused before any rule was asked.
	Action string
	// ResourceName is the name given with [WithResourceName], or "".
	ResourceName string
	// Rule is the rule that decided, where known ("policy.csv:12").
	Rule string
	// Revision is that of the policy which decided, where it has one: for files
	// a hash of their content, which has no order; for a source that instances
	// share the number that it counts.
	Revision string
	// RequestID is the client's or proxy's X-Request-Id, TraceID the trace of
	// its traceparent (W3C Trace Context §3.2), or what [WithTraceID] gives.
	RequestID, TraceID string
	// PassedBefore says that a gate before this one, of this guard or of another,
	// has let the request pass. Who counts requests counts what is allowed without
	// it, and each refusal.
	PassedBefore bool
	// Reused says that no scheme was asked, since the gate relied on what gate one
	// had found out before.
	Reused   bool
	Duration time.Duration
	// Cause is the error behind a refusal, or why the credentials of an
	// anonymous request are over; private to operators.
	Cause error

	challenges *Denial     // that Challenges gives those of; nil for none
	client     netip.Addr  // that ClientAddr gives
	peer       string      // "host:port" of it, for who asks, where client is not set
	principal  *Principal  // whose roles and tenant are given
	attributes Attributes  // that Attributes gives
	folded     int         // that FoldedBytes gives
	readings   int         // that OtherReadings gives
	pseudonyms *Pseudonyms // that stand for them; nil for none
}

// Roles are the roles that a known principal had at the gate, those included that
// a policy gave it: what a refusal by policy was decided with.
func (e *Event) Roles() iter.Seq[string] {
	return func(yield func(string) bool) {
		if e.principal != nil {
			e.principal.eachRole(true, func(role string) bool { return yield(e.shown(role)) })
		}
	}
}

// CredentialRoles are those that the credentials brought, AddedRoles the others of
// Roles.
func (e *Event) CredentialRoles() iter.Seq[string] {
	return func(yield func(string) bool) {
		if e.principal != nil {
			e.principal.CredentialRoles()(func(role string) bool { return yield(e.shown(role)) })
		}
	}
}

// AddedRoles are those of Roles that the policy or another source of roles gave.
func (e *Event) AddedRoles() iter.Seq[string] {
	return func(yield func(string) bool) {
		if e.principal != nil {
			e.principal.eachRole(false, func(role string) bool { return yield(e.shown(role)) })
		}
	}
}

// shown is a name, or the pseudonym that stands for it.
func (e *Event) shown(name string) string {
	if e.pseudonyms != nil {
		return e.pseudonyms.Of(name)
	}
	return name
}

// Challenges are those of the answer; nil for an answer without. They are shared
// and must not be modified.
func (e *Event) Challenges() []challenge.Challenge {
	if e.challenges == nil {
		return nil
	}
	return e.challenges.Challenges
}

// Tenant is the tenant that a known principal was judged in at the gate, or "".
func (e *Event) Tenant() string {
	if e.principal == nil {
		return ""
	}
	return e.shown(e.principal.Tenant())
}

// Attributes are the facts beside principal, action and resource that a policy
// decided with ([Decision].Attributes), by name.
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

// FoldedBytes is how many bytes of the resource, from its start, the application may have
// registered in other letters ([Resource].Folded).
func (e *Event) FoldedBytes() int { return e.folded }

// OtherReadings is how many more resources the request could be for, each of which
// the rules were asked about, too ([Route].Alternatives).
func (e *Event) OtherReadings() int { return e.readings }

// ObserverFunc is a function that observes.
type ObserverFunc func(ctx context.Context, e Event)

// Observe calls f.
func (f ObserverFunc) Observe(ctx context.Context, e Event) { f(ctx, e) }

// maxLogged is how many bytes of one client-chosen string a log line takes.
const maxLogged = 256

// LogObserver writes each event to logger: what was allowed at info level, and
// so requests whose client hung up (499), refusals (400, 401, 403, 429) at warn,
// failures (500, 503) at error, but a 503 with another reason than
// dependency_unavailable at warn. With a nil logger it uses [slog.Default] at each
// event.
//
// Control, bidirectional and other unprintable characters are escaped and long
// strings cut, so that no client can forge or hide a line whatever handler the
// logger has.
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
		attrs := make([]slog.Attr, 0, 18)
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
			if roles := joinedRoles(e); roles != "" {
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

// joinedRoles takes a copy of an event, so that only a line with roles has one on the
// heap.
func joinedRoles(e Event) string { return strings.Join(slices.Collect(e.Roles()), ",") }

// printable is s with every unprintable character escaped as Go would, cut to
// maxLogged bytes of input.
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

// traceOf is the trace of a request.
func (g *Guard) traceOf(ctx context.Context, r Request) string {
	if g.traceID != nil {
		if id := g.traceID(ctx); id != "" {
			return id
		}
	}
	if tp, _ := r.Header("Traceparent"); tp != "" {
		return traceID(tp)
	}
	return ""
}

// WithTraceID sets where the trace ID in events comes from before Traceparent is
// looked at, such as the span that a middleware has put into the context: it also
// has one where the service itself began the trace. of returns "" for none.
func WithTraceID(of func(ctx context.Context) string) Option {
	return func(g *Guard) error { return option.Set(&g.traceID, of, "trace ID is nil") }
}

// traceID is the trace-id of a traceparent field, or "".
func traceID(traceparent string) string {
	if len(traceparent) < 55 || traceparent[2] != '-' || traceparent[35] != '-' {
		return ""
	}
	id := traceparent[3:35]
	if id == "00000000000000000000000000000000" {
		return ""
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return id
}

// observe tells every observer, whatever they do.
func (g *Guard) observe(ctx context.Context, e *Event) {
	if g.pseudonyms != nil {
		g.pseudonyms.event(e)
	}
	for _, o := range g.observers {
		observeOne(ctx, o, e, g)
	}
}

// panicText is what a panic said, for the log.
func (g *Guard) panicText(v any) string {
	if g.pseudonyms != nil {
		return g.pseudonyms.Of(fmt.Sprint(v))
	}
	return fmt.Sprint(v)
}

func observeOne(ctx context.Context, o Observer, e *Event, g *Guard) {
	defer func() {
		if v := recover(); v != nil {
			g.logger.ErrorContext(ctx, "observer panicked", "panic", g.panicText(v))
		}
	}()
	o.Observe(ctx, *e)
}
