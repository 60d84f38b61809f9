package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/doctor"
)

// The bounds of a page of metrics.
const (
	maxMetrics     = 64 << 20
	metricsTimeout = 10 * time.Second
)

func newDoctor() *cobra.Command {
	var (
		format string
		during time.Duration
	)
	cmd := &cobra.Command{
		Use:   "doctor [flags] LOG|URL|-",
		Short: "Say which plumbing is broken, from a log or from metrics",
		Long: `doctor reads the log of a service, or asks its page of metrics, and says in words
what is broken: identity (401), policy (403), guessing, keys, a dependency (503) or
the program (500), with what to look at.

    sallyport doctor service.log
    journalctl -u reports | sallyport doctor -
    sallyport doctor --during 30s http://127.0.0.1:8080/metrics

A log has the lines of core.LogObserver, as JSON or as text; other lines are passed
over. Metrics are those of core/telemetry, in Prometheus's format, and count since
the service was started, or with --during in the time from now on.

A kind of refusals is a finding if it is a twentieth of the requests or more;
outages and faults always are. The exit code is 1 when there is a finding.`,
		Args: exactly(1, "a log, the URL of a page of metrics, or - for standard input"),
	}
	formatFlag(cmd, &format, "text", "json")
	cmd.Flags().DurationVar(&during, "during", 0, "count what happens in this `time` from now on, with a URL")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := examine(cmd, args[0], during)
		if err != nil {
			return err
		}
		found := c.Diagnose()
		if err := writeDiagnosis(cmd.OutOrStdout(), c, found, format); err != nil {
			return err
		}
		if len(found) > 0 {
			return errFindings
		}
		return nil
	}
	return cmd
}

// examine counts what a log or a page of metrics tells.
func examine(cmd *cobra.Command, from string, during time.Duration) (*doctor.Counts, error) {
	if strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://") {
		return examineMetrics(cmd.Context(), from, during)
	}
	if during != 0 {
		return nil, usagef("--during is for a URL: a log is read to its end")
	}
	in := cmd.InOrStdin()
	if from != "-" {
		f, err := os.Open(from)
		if err != nil {
			return nil, err
		}
		defer f.Close() // it was only read
		in = f
	}
	c, err := doctor.ReadLog(in)
	if err == nil && c.Total() == 0 && len(c.Notes) == 0 {
		err = fmt.Errorf("%s has no line of core.LogObserver: those have msg=access", from)
	}
	return c, err
}

func examineMetrics(ctx context.Context, url string, during time.Duration) (*doctor.Counts, error) {
	var before doctor.Sample
	if during > 0 {
		var err error
		if before, err = fetchMetrics(ctx, url); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(during):
		}
	}
	now, err := fetchMetrics(ctx, url)
	if err != nil {
		return nil, err
	}
	return now.CountsSince(before), nil
}

func fetchMetrics(ctx context.Context, url string) (doctor.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, metricsTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/plain; version=0.0.4")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, response.Status)
	}
	return doctor.ReadMetrics(io.LimitReader(response.Body, maxMetrics))
}

// writeDiagnosis writes what was found.
func writeDiagnosis(w io.Writer, c *doctor.Counts, found []doctor.Finding, format string) error {
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Requests float64          `json:"requests"`
			Allowed  float64          `json:"allowed"`
			Findings []doctor.Finding `json:"findings"`
		}{c.Total(), c.Allowed, append([]doctor.Finding{}, found...)})
	}
	if len(found) == 0 {
		_, err := fmt.Fprintf(w, "nothing is broken: %.0f of %.0f requests were allowed, and no kind of refusal is frequent\n", c.Allowed, c.Total())
		return err
	}
	for _, f := range found {
		if _, err := fmt.Fprintf(w, "%s: %s\n    look at: %s\n", f.Plumbing, lineOf(f.Seen), f.Look); err != nil {
			return err
		}
	}
	return nil
}

// lineOf is s on one line, without characters that forge or hide output.
func lineOf(s string) string { return strings.ReplaceAll(plain(s), "\n", " ") }
