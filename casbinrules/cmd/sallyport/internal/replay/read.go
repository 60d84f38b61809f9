package replay

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// chunkSize is the size of the part of a log that one goroutine processes at a time.
const chunkSize = 1 << 20

// maxLine is the maximum length of a line in bytes.
const maxLine = 64 << 20

// Run replays the files of a log, in any order. The error is that of reading, or of ctx.
func Run(ctx context.Context, files []string, s Settings) (*Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chunks := make(chan []byte, runtime.GOMAXPROCS(0))
	buffers := sync.Pool{New: func() any { b := make([]byte, 0, chunkSize+chunkSize/4); return &b }}
	workers := runtime.GOMAXPROCS(0)
	timed, err := s.timed(ctx)
	if err != nil {
		return nil, err
	}
	if timed { // the policies share one clock
		workers = 1
		defer s.Clock.Set(nil)
	}
	tallies, errs := make([]*tally, workers), make([]error, workers)
	var wait sync.WaitGroup
	for i := range workers {
		r := newRun(ctx, &s, timed)
		tallies[i] = r.report
		wait.Go(func() {
			if errs[i] = r.work(chunks, &buffers); errs[i] != nil {
				cancel() // this worker no longer receives chunks
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

// timed reports whether a policy depends on the clock.
func (s *Settings) timed(ctx context.Context) (bool, error) {
	before, err := s.Clock.Rules(ctx, s.Old)
	if before || err != nil {
		return before, err
	}
	return s.Clock.Rules(ctx, s.New)
}

// readAll splits files into chunks of whole lines.
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
	if first, _ := r.Peek(2); string(first) == "\x1f\x8b" { // later reads return the same error
		return errors.New("it is compressed by gzip: decompress it first")
	}
	for {
		chunk := (*buffers.Get().(*[]byte))[:chunkSize]
		n, err := io.ReadFull(r, chunk)
		chunk = chunk[:n]
		if err == nil { // up to the end of the line
			for err = bufio.ErrBufferFull; errors.Is(err, bufio.ErrBufferFull) && len(chunk) < maxLine; {
				var part []byte
				part, err = r.ReadSlice('\n')
				chunk = append(chunk, part...)
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				return fmt.Errorf("a line is longer than %d MiB, so this is not a decision log", maxLine>>20)
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

// run is the state of one worker.
type run struct {
	*Settings
	ctx     context.Context
	report  *tally
	oldHash string
	// kinds are entries by the part of a line with the question and the answer.
	kinds    map[string]*entry
	size     int // of these parts, in bytes
	hits     int // lines whose kind was found there
	uncached int // number of lines still to be decided without looking up their kind
	timed    bool
	// line and question are reused for each line.
	line     line
	question question
}

func newRun(ctx context.Context, s *Settings, timed bool) *run {
	r := &run{Settings: s, ctx: ctx, timed: timed, report: newTally(s.Samples), kinds: map[string]*entry{}}
	r.line.Request = &decisionlog.Request{Attributes: map[string]string{}}
	if timed {
		r.uncached = math.MaxInt // the answer to equal requests depends on the time
	}
	if s.Old != nil {
		r.oldHash = s.Old.Version().Revision
	}
	return r
}

// entry is a kind of line: equal requests with equal answers.
type entry struct {
	answer
	count uint64
	first uint64 // the lowest number of such a line
}

// The limits on the number of kinds kept and on their size in bytes, so that memory does
// not grow with the variety of a log.
const (
	maxEntries = 100_000
	maxSize    = 64 << 20
	// uncachedFactor determines for how many lines, as a multiple of the kinds kept, lookups are
	// suspended if they rarely succeed: they then take longer than deciding each line.
	uncachedFactor = 5
)

// work counts the lines of chunks until the channel is closed.
func (r *run) work(chunks <-chan []byte, buffers *sync.Pool) error {
	for chunk := range chunks {
		for rest := chunk; len(rest) > 0; {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			if err := r.read(rest[:end]); err != nil {
				return err
			}
			rest = rest[min(end+1, len(rest)):]
		}
		chunk = chunk[:0]
		buffers.Put(&chunk)
	}
	r.flush()
	return nil
}

func (r *run) flush() {
	if r.hits < len(r.kinds)/2 {
		r.uncached = uncachedFactor * len(r.kinds)
	}
	for _, e := range r.kinds {
		r.report.add(e.answer, e.count, e.first)
	}
	clear(r.kinds)
	r.size, r.hits = 0, 0
}

// read counts a line by its kind. The error is that of the context.
func (r *run) read(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	r.report.Lines++
	part, at, seq, ok := cut(text)
	if !ok {
		return r.parse(text)
	}
	if r.uncached > 0 {
		r.uncached--
	} else if e := r.kinds[string(part)]; e != nil {
		r.report.Decisions++
		r.hits++
		e.count++
		e.first = min(e.first, seq)
		return nil
	}
	kept := string(part)
	if !scanPart(kept, &r.line) {
		return r.parse(text)
	}
	r.line.Time = at
	r.report.Decisions++
	a, err := r.answer(&r.line)
	if err != nil {
		return err
	}
	if len(r.kinds) >= cmp.Or(r.Settings.kinds, maxEntries) || r.size >= maxSize {
		r.flush()
	}
	if r.uncached > 0 {
		r.report.add(a, 1, seq)
		return nil
	}
	r.size += len(kept)
	r.kinds[kept] = &entry{a, 1, seq}
	return nil
}

// parse counts a line that is not a decision, or that another program has written.
func (r *run) parse(text []byte) error {
	record, err := decisionlog.Parse(text)
	t := r.report
	switch {
	case err != nil:
		t.add(answer{lack: LackUnreadable}, 1, 0)
	case record.Kind == decisionlog.KindDecision:
		t.Decisions++
		a, err := r.answer(&line{record.Time, record.Outcome, record.Reason, record.Gate, record.Rule, record.Revision, record.Request})
		if err != nil {
			return err
		}
		t.add(a, 1, record.Seq)
	case record.Dropped != nil:
		t.Dropped += record.Dropped.QueueFull + record.Dropped.WriteFailed
	case record.Open != nil:
		t.LostAtMost += uint64(max(0, record.Open.LostAtMost))
		if record.Open.SampleRate < 1 && !slices.Contains(t.SampleRates, record.Open.SampleRate) {
			t.SampleRates = append(t.SampleRates, record.Open.SampleRate)
		}
	}
	return nil
}

// Files returns the files of logs, including renamed ones.
func Files(logs []string) ([]string, error) {
	var files []string
	for _, name := range logs {
		if _, err := os.Stat(name); err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		some, err := decisionlog.Files(name)
		if err != nil {
			return nil, err
		}
		files = distinct.Add(files, some...)
	}
	return files, nil
}
