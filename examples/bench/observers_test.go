package bench

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/telemetry"
	"github.com/sallyport-go/sallyport/examples/bench/stacks"
)

// What an app tells of its verdicts: a core.CounterFunc, OpenTelemetry's
// metrics, a decision log in a file, one whose lines are chained by hashes, the log
// that is there by default, or nothing as those of others do.
const counter, metrics, decisions, chained, logs, none = "counter", "telemetry", "decisions", "chain", "log", "none"

// observers are those of our apps.
func observers() []string { return []string{counter, metrics, decisions, chained, logs} }

// observer is one of them.
type observer struct {
	core.Observer // nil for one that counts
	decisions     *decisionlog.Log
}

// openObserver opens one; log is where the log goes, nil for the default. The file of
// a decision log is among the temporary ones.
func openObserver(name string, log *slog.Logger) (observer, error) {
	switch name {
	case logs:
		return observer{Observer: core.LogObserver(log)}, nil
	case metrics:
		m, err := telemetry.New(telemetry.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))))
		return observer{Observer: m}, err
	case decisions:
		return openDecisions()
	case chained:
		return openDecisions(decisionlog.WithHashChain())
	}
	return observer{}, nil
}

func openDecisions(opts ...decisionlog.Option) (observer, error) {
	dir, err := os.MkdirTemp("", "decisions")
	if err != nil {
		return observer{}, err
	}
	quiet := slog.New(slog.DiscardHandler)
	l, err := decisionlog.Open(filepath.Join(dir, "decisions.jsonl"), append(opts, decisionlog.WithLogger(quiet))...)
	return observer{l, l}, err
}

// temporary has the temporary files of this process, and of those that it starts,
// removed at the end of b.
func temporary(b *testing.B) {
	b.Helper()
	b.Setenv("TMPDIR", b.TempDir())
}

// close ends a decision log, and says which share of decisions it lacks: those that
// came faster than they could be written.
func (o observer) close(b *testing.B) (lost float64) {
	b.Helper()
	if o.decisions == nil {
		return 0
	}
	if err := o.decisions.Close(); err != nil {
		b.Error(err)
	}
	s := o.decisions.Stats()
	all := s.Written + s.QueueFull + s.WriteFailed
	return float64(s.QueueFull+s.WriteFailed) / float64(max(all, 1))
}

// BenchmarkObserved sends requests to our apps without a network, with each of the
// observers, and to the bare ones. cpu-ns/op has the time of the writer of a decision
// log as well, which runs beside the requests.
func BenchmarkObserved(b *testing.B) {
	w := stacks.NewWorld()
	seen, err := w.Allowed(1)
	if err != nil {
		b.Fatal(err)
	}
	refused, err := w.Refused()
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range stacks.All() {
		if s.Guard == stacks.Bare {
			b.Run("framework="+s.Framework+"/observer=bare/case=allowed", func(b *testing.B) { observed(b, s, w, none, seen[0], 200) })
		}
		if s.Guard != stacks.Sallyport {
			continue
		}
		for _, name := range observers() {
			of := "framework=" + s.Framework + "/observer=" + name
			b.Run(of+"/case=allowed", func(b *testing.B) { observed(b, s, w, name, seen[0], 200) })
			b.Run(of+"/case=forbidden", func(b *testing.B) { observed(b, s, w, name, refused, 403) })
		}
	}
}

// observed measures one app with one observer.
func observed(b *testing.B, s stacks.Stack, w *stacks.World, name, token string, want int) {
	temporary(b)
	o, err := openObserver(name, slog.New(slog.NewTextHandler(io.Discard, nil))) //nolint:sloglint // making the line is what is measured
	if err != nil {
		b.Fatal(err)
	}
	w.Observer = o.Observer
	defer func() { w.Observer = nil }()
	c, err := s.Open(w)
	if err != nil {
		b.Fatal(err)
	}
	c.Call(token) // so that it is seen
	began := processorTime()
	call(b, c, []string{token}, 0, want)
	b.ReportMetric(float64(processorTime()-began)/float64(b.N), "cpu-ns/op")
	if lost := o.close(b); lost > 0 {
		b.ReportMetric(lost, "lost/op")
	}
}
