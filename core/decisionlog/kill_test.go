package decisionlog_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

const killedQueue = 500

// writeForever is the child: it observes until it is killed, and continually tells its
// parent how many decisions the log has accepted.
func writeForever(file string) int {
	k, err := decisionlog.MACKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		return 1
	}
	l, err := decisionlog.Open(file, decisionlog.WithChainKey(k), decisionlog.WithQueueSize(killedQueue), decisionlog.WithMaxFileSize(1<<20))
	if err != nil {
		return 1
	}
	ctx := context.Background()
	e := core.Event{Outcome: core.OutcomeForbidden, Status: 403, Gate: "authorize", Method: "GET", Action: "GET", Resource: "/reports/7"}
	var count [8]byte
	for n := uint64(1); ; n++ {
		e.RequestID = fmt.Sprint(n)
		for l.Stats().Queued == killedQueue {
			runtime.Gosched() // drops after the last write are not reported
		}
		l.Observe(ctx, e)
		if n%64 == 0 {
			binary.BigEndian.PutUint64(count[:], n)
			if _, err := os.Stdout.Write(count[:]); err != nil {
				return 1
			}
		}
	}
}

// TestKilled: a process that is killed while writing loses at most its queue and a batch,
// and its log is intact up to the cut, which the next run records.
func TestKilled(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	must(t, err)
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	k, err := decisionlog.MACKey([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	runs := 5
	if testing.Short() {
		runs = 2
	}
	observed := uint64(0) // in all runs
	for run := range runs {
		child := exec.Command(program, "-test.run=^$")
		child.Env = append(os.Environ(), childVariable+"=writeForever="+name)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		last := uint64(0)
		counts := bufio.NewReader(out)
		for wanted := uint64(3000 + 1711*run); ; {
			var count [8]byte
			if _, err := io.ReadFull(counts, count[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			last = binary.BigEndian.Uint64(count[:])
			if last >= wanted && wanted > 0 {
				must(t, child.Process.Kill())
				wanted = 0 // and what it has printed before
			}
		}
		_ = child.Wait() // killed
		observed += last
	}
	records := parsed(t, wholeLines(read(t, files(t, name))))
	lost, openings := uint64(0), 0
	for _, r := range records {
		if r.Dropped != nil {
			lost += r.Dropped.QueueFull
		}
		if r.Open != nil && r.Open.Why == "start" {
			openings++
			if openings > 1 && (!r.Open.Unclean || r.Open.LostAtMost != killedQueue+256) {
				t.Errorf("opening: %+v", r.Open)
			}
		}
	}
	written := uint64(len(decisions(records)))
	if bound := uint64(runs * (killedQueue + 256)); written+lost+bound < observed || openings != runs {
		t.Errorf("%d of %d decisions are written, %d reported lost; more than %d are missing", written, observed, lost, bound)
	}
	t.Logf("%d observed, %d written, %d dropped, %d runs", observed, written, lost, openings)
	l, err := decisionlog.Open(name, decisionlog.WithChainKey(k)) // which removes an incomplete line
	must(t, err)
	must(t, l.Close())
	v, err := decisionlog.Verify(files(t, name), decisionlog.WithVerificationKeys(k))
	must(t, err)
	if len(v.Findings) > 0 || v.LostAtMost != uint64(runs*(killedQueue+256)) {
		t.Errorf("verification: %+v", v)
	}
}

// wholeLines returns a text without an incomplete last line.
func wholeLines(text []byte) []byte {
	for len(text) > 0 && text[len(text)-1] != '\n' {
		text = text[:len(text)-1]
	}
	return text
}
