package decisionlog

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
)

// records is a sink that is a logger, with one record for each line.
type records struct{ logger *slog.Logger }

func (*records) write([]byte) error { return nil }
func (*records) close() error       { return nil }

// decision writes a decision with the names that its fields have in files; those of the
// request are not nested.
func (s *records) decision(e *core.Event) (err error) {
	defer recovered(&err)
	ctx := context.Background()
	if !s.logger.Enabled(ctx, slog.LevelInfo) {
		return nil
	}
	attrs := make([]slog.Attr, 0, 24)
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, visible(value)))
		}
	}
	attrs = append(attrs, slog.Time("decided", e.Time), slog.Int("status", e.Status))
	text("outcome", string(e.Outcome))
	text("reason", string(e.Reason))
	text("gate", e.Gate)
	text("scheme", e.Scheme)
	text("rule", e.Rule)
	text("revision", e.Revision)
	text("principal", e.PrincipalID)
	text("tenant", e.Tenant())
	text("token_roles", strings.Join(slices.Collect(e.CredentialRoles()), ","))
	text("policy_roles", strings.Join(slices.Collect(e.AddedRoles()), ","))
	text("method", e.Method)
	text("action", e.Action)
	text("name", e.ResourceName)
	text("route", e.Route)
	text("resource", e.Resource)
	for name, value := range e.Attributes() {
		text("attributes."+name, value)
	}
	attrs = append(attrs, slog.Int64("duration_us", e.Duration.Microseconds()))
	text("client", e.ClientAddr())
	text("request_id", e.RequestID)
	text("trace_id", e.TraceID)
	if e.Cause != nil {
		text("cause", causeText(e.Cause))
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo, KindDecision, attrs...)
	return nil
}

// record writes a record of the log's own.
func (s *records) record(kind string, v any) (err error) {
	defer recovered(&err)
	level := slog.LevelInfo
	if kind == KindDropped {
		level = slog.LevelWarn
	}
	s.logger.LogAttrs(context.Background(), level, "decision log "+kind, slog.Any(kind, v))
	return nil
}

// visible returns a text with unprintable characters escaped, whatever the handler does.
func visible(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
