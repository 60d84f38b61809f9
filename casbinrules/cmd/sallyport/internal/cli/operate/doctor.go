package operate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/doctor"
)

// The bounds of a page of metrics.
const (
	maxMetrics     = 64 << 20
	maxRedirects   = 5
	metricsTimeout = 10 * time.Second
)

func newDoctor() *cobra.Command {
	var (
		format string
		during time.Duration
	)
	cmd := &cobra.Command{
		Use:   "doctor [flags] LOG|URL|-...",
		Short: "Say which plumbing is broken, from a log or from metrics",
		Long: `doctor reads the log of a service, or asks its page of metrics, and says in words
what is broken: identity (401), policy (403), guessing, keys, a dependency (503) or
the program (500), with what to look at.

    sallyport doctor service.log
    journalctl -u reports | sallyport doctor -
    sallyport doctor --during 30s http://127.0.0.1:8080/metrics
    sallyport doctor http://10.0.0.1:8080/metrics http://10.0.0.2:8080/metrics

A log has the lines of core.LogObserver, as JSON or as text, also compressed by gzip
or wrapped by a collector; other lines are passed over, and those that cannot be read
are counted. Metrics are those of core/telemetry, in Prometheus's format, and count
since the service was started, or with --during in the time from now on. Several are
those of the instances of one service, which are added up and compared.

A kind of refusals is a finding if it is a twentieth of the requests or more;
outages and faults always are. The exit code is 1 when there is a finding, and 2 when
no request was counted.`,
		Args: command.AtLeast(1, "a log, the URL of a page of metrics, or - for standard input"),
	}
	command.FormatFlag(cmd, &format, "text", "json")
	cmd.Flags().DurationVar(&during, "during", 0, "count what happens in this `time` from now on, with a URL")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := examine(cmd, args, during)
		if err != nil {
			return err
		}
		found := c.Diagnose()
		if c.Total() == 0 && len(found) == 0 {
			return errors.New("no request was counted, so nothing is known: ask again once there were some, or for a longer time")
		}
		return cmp.Or(writeDiagnosis(cmd.OutOrStdout(), c, found, format), command.FoundIf(len(found) > 0))
	}
	return cmd
}

// examine counts what is in logs and pages of metrics.
func examine(cmd *cobra.Command, from []string, during time.Duration) (*doctor.Counts, error) {
	isURL := func(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }
	before := make([]doctor.Sample, len(from))
	if during != 0 {
		if !slices.ContainsFunc(from, isURL) {
			return nil, command.Usagef("--during is for a URL: a log is read to its end")
		}
		for i := range from {
			var err error
			if !isURL(from[i]) {
				continue
			}
			if before[i], err = fetchMetrics(cmd.Context(), from[i]); err != nil {
				return nil, err
			}
		}
		select {
		case <-cmd.Context().Done():
			return nil, cmd.Context().Err()
		case <-time.After(during):
		}
	}
	all := make([]*doctor.Counts, len(from))
	for i, one := range from {
		if !isURL(one) {
			c, err := examineLog(cmd, one)
			if err != nil {
				return nil, err
			}
			all[i] = c
			continue
		}
		now, err := fetchMetrics(cmd.Context(), one)
		if err != nil {
			return nil, err
		}
		all[i] = now.CountsSince(before[i])
	}
	return doctor.Together(all), nil
}

func examineLog(cmd *cobra.Command, from string) (*doctor.Counts, error) {
	in := cmd.InOrStdin()
	if from != "-" {
		f, err := os.Open(from)
		if err != nil {
			return nil, err
		}
		defer f.Close() // only read
		in = f
	}
	c, err := doctor.ReadLog(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	if c.Total() == 0 && len(c.Notes) == 0 {
		return nil, fmt.Errorf("%s has no line of core.LogObserver, which have msg=access, among %s", from, linesOf(c))
	}
	return c, nil
}

// linesOf returns how many lines were read, as text.
func linesOf(c *doctor.Counts) string {
	lines := fmt.Sprintf("%d lines", c.Lines)
	for i, why := range slices.Sorted(maps.Keys(c.Unread)) {
		if i > 0 {
			lines += " and"
		} else {
			lines += ", of which"
		}
		lines += fmt.Sprintf(" %d not read (%s)", c.Unread[why], why)
	}
	return lines
}

func fetchMetrics(ctx context.Context, url string) (doctor.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, metricsTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil { // which quotes the URL
		return nil, command.ErrNoURL
	}
	r.Header.Set("Accept", "text/plain; version=0.0.4")
	shown := r.URL.Redacted()
	client := http.Client{CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if to.URL.Host != via[0].URL.Host || len(via) > maxRedirects {
			return fmt.Errorf("it redirects to %s: give that address", to.URL.Redacted())
		}
		return nil
	}}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() // only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", shown, response.Status)
	}
	page, err := io.ReadAll(io.LimitReader(response.Body, maxMetrics+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", shown, err)
	case len(page) > maxMetrics:
		return nil, fmt.Errorf("%s is larger than %d MiB: it is not the metrics page of one service", shown, maxMetrics>>20)
	}
	s, err := doctor.ReadMetrics(bytes.NewReader(page))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown, err)
	}
	return s, nil
}

// writeDiagnosis writes the findings and, as text, what could not be read.
func writeDiagnosis(w io.Writer, c *doctor.Counts, found []doctor.Finding, format string) error {
	if format == "json" {
		return command.WriteJSON(w, struct {
			Requests float64          `json:"requests"`
			Allowed  float64          `json:"allowed"`
			Lines    int              `json:"lines,omitempty"`
			Unread   map[string]int   `json:"unread,omitempty"`
			Findings []doctor.Finding `json:"findings"`
		}{c.Total(), c.Allowed, c.Lines, c.Unread, append([]doctor.Finding{}, found...)})
	}
	if len(c.Unread) > 0 {
		command.Say(w, "note: %s\n", linesOf(c))
	}
	if len(found) == 0 {
		command.Say(w, "nothing is broken: %.0f of %.0f requests were allowed, and no kind of refusal is frequent\n", c.Allowed, c.Total())
	}
	for _, f := range found {
		command.Say(w, "%s: %s\n    look at: %s\n%s", f.Plumbing, command.LineOf(f.Seen), f.Look, runbook(f.Alert))
	}
	return nil
}

// runbook returns a line that names the section about an alert.
func runbook(alert string) string {
	if alert == "" {
		return ""
	}
	return "    runbook: https://github.com/sallyport-go/sallyport/blob/main/docs/observability/README.md#" + strings.ToLower(alert) + "\n"
}
