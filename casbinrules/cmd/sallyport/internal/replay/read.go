package replay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// chunkSize is how much of a log one goroutine takes at a time.
const chunkSize = 1 << 20

// Run replays the files of a log, in any order. The error is that of reading, or of
// ctx.
func Run(ctx context.Context, files []string, s Settings) (*Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chunks := make(chan []byte, runtime.GOMAXPROCS(0))
	buffers := sync.Pool{New: func() any { b := make([]byte, 0, chunkSize+chunkSize/4); return &b }}
	workers := runtime.GOMAXPROCS(0)
	tallies, errs := make([]*tally, workers), make([]error, workers)
	var wait sync.WaitGroup
	for i := range workers {
		r := &run{Settings: &s, ctx: ctx, entries: map[string]*entry{}, report: newTally(s.Samples)}
		if s.Old != nil {
			r.oldHash = s.Old.Version().Revision
		}
		tallies[i] = r.report
		wait.Go(func() {
			if errs[i] = r.work(chunks, &buffers); errs[i] != nil {
				cancel() // nobody takes chunks any more
			}
		})
	}
	readErr := readAll(ctx, files, chunks, &buffers)
	close(chunks)
	wait.Wait()
	for _, err := range slices.Concat(errs, []error{readErr}) {
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, t := range tallies[1:] {
		tallies[0].merge(t)
	}
	return tallies[0].finish(&s), nil
}

// readAll cuts files into chunks of whole lines.
func readAll(ctx context.Context, files []string, chunks chan<- []byte, buffers *sync.Pool) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = readOne(ctx, f, chunks, buffers)
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func readOne(ctx context.Context, f io.Reader, chunks chan<- []byte, buffers *sync.Pool) error {
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		chunk := (*buffers.Get().(*[]byte))[:chunkSize]
		n, err := io.ReadFull(r, chunk)
		chunk = chunk[:n]
		if err == nil { // up to the end of the line
			var rest []byte
			if rest, err = r.ReadBytes('\n'); err == nil || errors.Is(err, io.EOF) {
				chunk = append(chunk, rest...)
			}
		}
		if len(chunk) > 0 {
			select {
			case chunks <- chunk:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// work counts the lines of chunks until there are no more, and decides each kind.
func (r *run) work(chunks <-chan []byte, buffers *sync.Pool) error {
	for chunk := range chunks {
		for rest := chunk; len(rest) > 0; {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			r.line(rest[:end])
			rest = rest[min(end+1, len(rest)):]
		}
		chunk = chunk[:0]
		buffers.Put(&chunk)
		if len(r.entries) > maxEntries {
			if err := r.flush(); err != nil {
				return err
			}
		}
	}
	return r.flush()
}

// What this project's own lines look like. Inside texts quotes are escaped, so that
// no client can make up any of these.
var (
	decisionStart = []byte(`{"v":1,"kind":"decision","seq":`)
	partStart     = []byte(`,"outcome":`)
	partEnd       = []byte(`},"duration_us":`)
)

// line counts a line under the part of it that says what was asked and answered.
func (r *run) line(text []byte) {
	if len(text) == 0 {
		return
	}
	r.report.Lines++
	if bytes.HasPrefix(text, decisionStart) {
		from := bytes.Index(text, partStart)
		if from > 0 {
			if to := bytes.Index(text[from:], partEnd); to > 0 {
				r.count(text[from+1:from+to+1], seqOf(text[len(decisionStart):]))
				return
			}
		}
	}
	r.other(text)
}

func (r *run) count(part []byte, seq uint64) {
	r.report.Decisions++
	e := r.entries[string(part)]
	if e == nil {
		e = &entry{first: seq}
		r.entries[string(part)] = e
	}
	e.count++
	e.first = min(e.first, seq)
}

// seqOf is the number that a text begins with.
func seqOf(text []byte) (n uint64) {
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// other reads a line that is no decision, or one that another program has written.
func (r *run) other(text []byte) {
	record, err := decisionlog.Parse(text)
	if err != nil {
		r.report.lack(LackUnreadable, &entry{count: 1})
		return
	}
	t := r.report
	switch {
	case record.Kind == decisionlog.KindDecision:
		l := line{record.Outcome, record.Reason, record.Gate, record.Rule, record.Revision, record.Request}
		part, err := json.Marshal(l)
		if err != nil {
			t.lack(LackUnreadable, &entry{count: 1, first: record.Seq})
			return
		}
		r.count(part[1:len(part)-1], record.Seq)
	case record.Dropped != nil:
		t.Dropped += record.Dropped.QueueFull + record.Dropped.WriteFailed
	case record.Open != nil:
		t.LostAtMost += uint64(max(0, record.Open.LostAtMost))
		if record.Open.SampleRate < 1 {
			t.SampleRates = append(t.SampleRates, record.Open.SampleRate)
		}
	}
}
