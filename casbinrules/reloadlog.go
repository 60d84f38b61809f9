package casbinrules

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// maxLoggedRules is the maximum number of added and removed rules in a log line.
const maxLoggedRules = 10

// LogReloads logs each event: a policy that came into force at info level, with the
// rules added and removed; a rejected one at error level, with its findings; a
// failure to read at error level. With a nil logger it uses [slog.Default] at each
// event. Lists and texts are shortened, and characters that could forge or hide a
// line are replaced.
func LogReloads(logger *slog.Logger) func(ctx context.Context, e ReloadEvent) {
	return func(ctx context.Context, e ReloadEvent) {
		l := logger
		if l == nil {
			l = slog.Default()
		}
		level, message := levelOf(e.Outcome)
		if !l.Enabled(ctx, level) {
			return
		}
		attrs := []slog.Attr{
			slog.String("outcome", string(e.Outcome)),
			slog.String("revision", e.New.Revision),
			slog.Int("rules", e.New.Rules),
			slog.Int("role_links", e.New.RoleLinks),
			slog.Duration("duration", e.Duration),
		}
		if e.Outcome == ReloadLoaded {
			attrs = append(attrs, changeAttrs(e)...)
		}
		if e.Err != nil && len(e.Findings) == 0 {
			attrs = append(attrs, slog.String("error", model.Cut(model.Visible(e.Err.Error()))))
		}
		l.LogAttrs(ctx, level, message, attrs...)
		logReloadFindings(ctx, l, e.Findings)
	}
}

func levelOf(o ReloadOutcome) (slog.Level, string) {
	switch o {
	case ReloadLoaded:
		return slog.LevelInfo, "policy loaded"
	case ReloadUnchanged:
		return slog.LevelInfo, "policy unchanged"
	case ReloadDegraded:
		return slog.LevelWarn, "policy files are polled only"
	case ReloadStale:
		return slog.LevelError, "policy stale, its source does not answer"
	case ReloadNotKept:
		return slog.LevelError, "policy in force, but not kept for a start without its source"
	case ReloadRejected:
		return slog.LevelError, "policy rejected, the last good one stays in force"
	default:
		return slog.LevelError, "policy not read, the last good one stays in force"
	}
}

func changeAttrs(e ReloadEvent) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("old_revision", e.Old.Revision),
		slog.Int("added", e.AddedCount),
		slog.Int("removed", e.RemovedCount),
	}
	if d := describe(e); d != "" {
		attrs = append(attrs, slog.String("diff", d))
	}
	if e.ModelChanged {
		attrs = append(attrs, slog.Bool("model_changed", true))
	}
	if e.Reordered {
		attrs = append(attrs, slog.Bool("reordered", true))
	}
	if e.Forced {
		attrs = append(attrs, slog.Bool("forced", true))
	}
	return attrs
}

// describe returns the difference as "- rule (place); + rule (place)".
func describe(e ReloadEvent) string {
	var parts []string
	list := func(sign string, rules []RuleText, count int) {
		for i, r := range rules {
			if i == maxLoggedRules {
				break
			}
			parts = append(parts, fmt.Sprintf("%s %s (%s)", sign, model.Cut(r.Text), model.Visible(r.Place())))
		}
		if count > maxLoggedRules {
			parts = append(parts, fmt.Sprintf("%s %d more", sign, count-maxLoggedRules))
		}
	}
	list("-", e.Removed, e.RemovedCount)
	list("+", e.Added, e.AddedCount)
	return strings.Join(parts, "; ")
}

func logReloadFindings(ctx context.Context, l *slog.Logger, findings []Finding) {
	findings = model.Warnings(findings)
	for i, f := range findings {
		level := slog.LevelWarn
		if f.Severity == SeverityError {
			level = slog.LevelError
		}
		if i == logged {
			l.LogAttrs(ctx, level, "policy: more findings are not logged", slog.Int("count", len(findings)-logged))
			return
		}
		l.LogAttrs(ctx, level, "policy: "+model.Cut(f.String()), slog.String("code", f.Code))
	}
}
