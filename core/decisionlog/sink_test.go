package decisionlog_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// TestRemovedFile: a log continues in a new file if its file or directory was removed,
// or its file was replaced or truncated.
func TestRemovedFile(t *testing.T) {
	t.Parallel()
	for what, take := range map[string]func(name string) error{
		"removed":  os.Remove,
		"renamed":  func(name string) error { return os.Rename(name, name+".1") },
		"replaced": func(name string) error { return errors.Join(os.Remove(name), os.WriteFile(name, nil, 0o600)) },
		"emptied":  func(name string) error { return os.Truncate(name, 0) },
		"cut":      func(name string) error { return os.Truncate(name, 10) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "decisions.jsonl")
			var said bytes.Buffer
			l, err := decisionlog.Open(name, decisionlog.WithHashChain(), decisionlog.WithLogger(slog.New(slog.NewTextHandler(&said, nil))))
			must(t, err)
			e := eventsOf(t, "/reports/7", "bob")[0]
			l.Observe(t.Context(), e)
			must(t, l.Flush(t.Context()))
			must(t, take(name))
			must(t, l.Flush(t.Context()))
			l.Observe(t.Context(), e)
			must(t, l.Close())
			text := read(t, []string{name})
			if what == "cut" {
				text = text[11:] // the piece, and its end
			}
			records := parsed(t, text)
			if o := records[0].Open; o == nil || o.Why != "reopen" || records[0].Seq != 3 || len(decisions(records)) != 1 {
				t.Errorf("the new file: %s", text)
			}
			if v := verified(t, text); len(v.Findings) > 0 {
				t.Errorf("findings: %v", v.Findings)
			}
			if !strings.Contains(said.String(), "was removed, replaced or truncated") {
				t.Errorf("said: %s", said.String())
			}
		})
	}
}

// TestRemovedDirectory: without its directory a log counts lost decisions, and
// continues once the directory exists again.
func TestRemovedDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log")
	must(t, os.Mkdir(dir, 0o700))
	name := filepath.Join(dir, "decisions.jsonl")
	l, err := decisionlog.Open(name, decisionlog.WithHashChain(), decisionlog.WithLogger(slog.New(slog.DiscardHandler)))
	must(t, err)
	e := eventsOf(t, "/reports/7", "bob")[0]
	l.Observe(t.Context(), e)
	must(t, l.Flush(t.Context()))
	must(t, os.RemoveAll(dir))
	if err := l.Flush(t.Context()); err == nil {
		t.Error("no error without the directory")
	}
	for range 2 {
		l.Observe(t.Context(), e)
		if err := l.Flush(t.Context()); err == nil {
			t.Error("no error without the directory")
		}
	}
	must(t, os.Mkdir(dir, 0o700))
	l.Observe(t.Context(), e)
	must(t, l.Close())
	records := parsed(t, read(t, []string{name}))
	if records[0].Open == nil || records[1].Dropped == nil || records[1].Dropped.WriteFailed != 2 || len(decisions(records)) != 1 {
		t.Errorf("the new file: %s", read(t, []string{name}))
	}
	if s := l.Stats(); s.Written != 2 || s.WriteFailed != 2 {
		t.Errorf("stats: %+v", s)
	}
}

// TestNoRotation: a file that cannot be renamed stays in use, without an opening in its
// middle, and the failure is logged once.
func TestNoRotation(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), strings.Repeat("d", 240)+".jsonl") // too long with the time added
	var said bytes.Buffer
	l, err := decisionlog.Open(name, decisionlog.WithHashChain(), decisionlog.WithMaxFileSize(4096), decisionlog.WithLogger(slog.New(slog.NewTextHandler(&said, nil))))
	must(t, err)
	e := eventsOf(t, "/reports/7", "bob")[0]
	for range 50 {
		l.Observe(t.Context(), e)
		must(t, l.Flush(t.Context()))
	}
	must(t, l.Close())
	text := read(t, []string{name})
	if n := bytes.Count(text, []byte(`"kind":"open"`)); n != 1 || len(decisions(parsed(t, text))) != 50 {
		t.Errorf("%d openings in %s", n, text)
	}
	if v := verified(t, text); len(v.Findings) > 0 {
		t.Errorf("findings: %v", v.Findings)
	}
	if strings.Count(said.String(), "cannot be rotated") != 1 || strings.Contains(said.String(), "cannot be written") {
		t.Errorf("said: %s", said.String())
	}
}

// halfway is a writer that, on demand, writes half of its input.
type halfway struct {
	bytes.Buffer
	half bool
}

func (h *halfway) Write(p []byte) (int, error) {
	if !h.half {
		return h.Buffer.Write(p)
	}
	n, _ := h.Buffer.Write(p[:len(p)/2])
	return n, errors.New("no space left")
}

// TestHalfALine: after an incomplete line a new line begins.
func TestHalfALine(t *testing.T) {
	t.Parallel()
	out := new(halfway)
	l, err := decisionlog.New(out, decisionlog.WithHashChain(), decisionlog.WithLogger(slog.New(slog.DiscardHandler)))
	must(t, err)
	must(t, l.Flush(t.Context()))
	e := eventsOf(t, "/reports/7", "bob")[0]
	out.half = true // the writer of the log waits
	l.Observe(t.Context(), e)
	_ = l.Flush(t.Context()) // which the writer may have been quicker than
	out.half = false
	l.Observe(t.Context(), e)
	must(t, l.Close())
	good, bad := 0, 0
	for line := range bytes.Lines(out.Bytes()) {
		if _, err := decisionlog.Parse(bytes.TrimSpace(line)); err == nil {
			good++
		} else {
			bad++
		}
	}
	if good != 4 || bad != 2 { // opening, decision, count of missing ones, end; and the failed parts of the last two before
		t.Errorf("%d good lines and %d others: %s", good, bad, out.Bytes())
	}
}
