package decisionlog

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// file is the sink that is a file.
type file struct {
	name   string
	config *config
	f      *os.File // nil after a failure to open
	size   int64    // of all complete lines
	first  time.Time
	state  state // as it was when the log was opened
	torn   bool  // a part of a line follows size and could not be removed
}

// state is what a file says about the run that wrote it.
type state struct {
	seq        uint64
	last       hashed
	unclean    bool
	lostAtMost int
	cut        string
}

// openFile opens a file and continues at its end. If it does not exist or is empty, the
// log continues after the newest renamed file.
func openFile(name string, c *config) (*file, error) {
	f := &file{name: name, config: c}
	if err := f.open(); err != nil {
		return nil, err
	}
	err := f.resume()
	if err == nil && f.size == 0 {
		err = f.resumeRenamed()
	}
	if err != nil {
		return nil, errors.Join(err, f.f.Close())
	}
	return f, nil
}

func (f *file) open() error {
	opened, err := os.OpenFile(f.name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := lock(opened); err != nil {
		return errors.Join(fmt.Errorf("%s: another process is writing to it, and each needs a file of its own: %w", f.name, err), opened.Close())
	}
	info, err := opened.Stat()
	if err != nil {
		return errors.Join(err, opened.Close())
	}
	f.f, f.size, f.first = opened, info.Size(), f.config.now()
	return nil
}

// resume reads the state from the end of the file, and removes an incomplete last line.
func (f *file) resume() error {
	if f.size == 0 {
		return nil
	}
	s, first, rest, err := readState(f.f, f.size)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	f.state, f.first = s, first
	if rest > 0 {
		if err := f.f.Truncate(f.size - rest); err != nil {
			return err
		}
		f.size -= rest
	}
	return nil
}

// resumeRenamed reads the state from the newest renamed file.
func (f *file) resumeRenamed() error {
	all, err := f.renamed()
	if err != nil || len(all) == 0 {
		return err
	}
	name := all[len(all)-1].name
	last, err := os.Open(name)
	if err != nil {
		return err
	}
	defer last.Close() // only read
	info, err := last.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	cut := f.state.cut // of the first line of the file itself
	if f.state, _, _, err = readState(last, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if cut != "" {
		f.state.unclean, f.state.cut = true, cut
	}
	return nil
}

// maxLine is the maximum length of a line that is looked for from the end.
const maxLine = 64 << 20

// readState reads the first and the last line of a log. rest is the number of bytes in
// an incomplete last line.
func readState(r io.ReaderAt, size int64) (s state, first time.Time, rest int64, err error) {
	head, err := bufio.NewReaderSize(io.NewSectionReader(r, 0, min(size, maxLine)), 64<<10).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return s, first, 0, err
	}
	whole := err == nil
	end, tail := size, []byte(nil)
	for step := int64(64 << 10); bytes.Count(tail, []byte{'\n'}) < 2 && end > max(0, size-maxLine); step *= 2 {
		from := max(0, end-step, size-maxLine)
		more := make([]byte, end-from)
		if _, err := r.ReadAt(more, from); err != nil {
			return s, first, 0, err
		}
		tail, end = slices.Concat(more, tail), from
	}
	at := bytes.LastIndexByte(tail, '\n')
	if size > maxLine && (at < 0 || !whole) {
		return s, first, 0, fmt.Errorf("not a decision log: its first or last line is longer than %d MiB", maxLine>>20)
	}
	cut := tail[at+1:]
	rest = int64(len(cut))
	if s.cut = string(cut[:min(len(cut), maxText)]); rest > 0 {
		s.unclean = true
	}
	if !whole { // a first line that was never finished
		if !bytes.HasPrefix(cut, []byte(openStart[:min(len(cut), len(openStart))])) {
			return s, first, 0, errors.New("not a decision log: its only line does not end")
		}
		return s, first, rest, nil
	}
	opened, err := Parse(bytes.TrimSuffix(head, []byte{'\n'}))
	if err != nil {
		return s, first, 0, fmt.Errorf("line 1: %w", err)
	}
	line := tail[bytes.LastIndexByte(tail[:at], '\n')+1 : at]
	last, err := Parse(line)
	if err != nil {
		return s, first, 0, fmt.Errorf("last line: %w", err)
	}
	s.seq = last.Seq
	_, s.last, _ = splitChain(line)
	if last.Kind != KindClose && (last.Head == nil || !last.Head.Final) {
		s.unclean = true
	}
	if s.unclean {
		s.lostAtMost, err = lostAtMost(r, size-rest)
	}
	return s, opened.Time, rest, err
}

// openStart is the beginning of the line of an opening.
const openStart = `{"v":1,"kind":"open",`

// maxOpening is more than the length of an opening, in which each byte of the cut text
// may be escaped as \u0000.
const maxOpening = 7 * maxText

// lostAtMost returns how many decisions the last run of a log may have lost, according
// to its opening.
func lostAtMost(r io.ReaderAt, end int64) (int, error) {
	const step = 1 << 20
	lineStart := []byte("\n" + openStart)
	var after []byte // the part of the previous block that an opening may extend into
	for ; ; end -= step {
		from := max(0, end-step)
		part := make([]byte, end-from)
		if _, err := r.ReadAt(part, from); err != nil {
			return 0, err
		}
		part = slices.Concat(part, after)
		at := bytes.LastIndex(part, lineStart) + 1
		if at > 0 || from == 0 {
			line, _, _ := bytes.Cut(part[at:], []byte{'\n'})
			opening, err := Parse(line)
			if err != nil || opening.Open == nil {
				return defaultQueueSize + batchSize, nil
			}
			return opening.Open.QueueSize + opening.Open.BatchSize, nil
		}
		after = part[:min(len(part), maxOpening)]
	}
}

func (f *file) write(lines []byte) error {
	if f.f == nil { // it could not be reopened
		if err := f.open(); err != nil {
			return err
		}
	}
	if err := f.mend(); err != nil {
		return err
	}
	n, err := f.f.Write(lines)
	if err == nil {
		f.size += int64(n)
		return nil
	}
	f.torn = n > 0 // the disk is full
	return errors.Join(err, f.mend())
}

// mend removes a partial line, so that the next write begins a line.
func (f *file) mend() error {
	if !f.torn {
		return nil
	}
	err := f.f.Truncate(f.size)
	f.torn = err != nil
	return err
}

// lost reports whether the file was removed, replaced or truncated.
func (f *file) lost() bool {
	if f.f == nil {
		return false
	}
	there, err := os.Stat(f.name)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	own, err := f.f.Stat()
	return err == nil && (!os.SameFile(there, own) || own.Size() < f.size)
}

func (f *file) close() error {
	if f.f == nil {
		return nil
	}
	err := errors.Join(f.f.Sync(), f.f.Close())
	f.f = nil
	return err
}

// due reports whether it is time for a new file. Age counts in both directions: a file
// that was begun before the clock was set back would otherwise be in use for years.
func (f *file) due(now time.Time) bool {
	c := f.config
	return f.f != nil && f.size > 0 && (c.maxSize > 0 && f.size >= c.maxSize || c.maxAge > 0 && now.Sub(f.first).Abs() >= c.maxAge)
}

// rotate renames the file and opens a new one.
func (f *file) rotate(now time.Time) (renamed bool, err error) {
	to, err := f.freeName(now)
	if err != nil {
		return false, err
	}
	if err := os.Rename(f.name, to); err != nil {
		return false, err
	}
	return true, f.reopen()
}

func (f *file) reopen() error {
	if f.f != nil {
		if err := f.mend(); err != nil {
			return err
		}
	}
	if err := errors.Join(f.close(), f.open()); err != nil {
		return err
	}
	return f.endLine()
}

// endLine completes a last line that was cut off by someone else.
func (f *file) endLine() error {
	if f.size == 0 {
		return nil
	}
	var last [1]byte
	if _, err := f.f.ReadAt(last[:], f.size-1); err != nil || last[0] == '\n' {
		return err
	}
	n, err := f.f.Write([]byte{'\n'})
	f.size += int64(n)
	return err
}

// timeForm is the format of the time in names of renamed files, in UTC.
const timeForm = "20060102T150405.000Z"

// parts returns the parts of the name before and after the time.
func (f *file) parts() (before, behind string) {
	name := filepath.Clean(f.name)
	behind = filepath.Ext(name)
	return strings.TrimSuffix(name, behind) + "-", behind
}

// freeName returns a name that sorts after those of all renamed files, also if the clock
// was set back since.
func (f *file) freeName(now time.Time) (string, error) {
	before, behind := f.parts()
	taken, err := f.renamed()
	if err != nil {
		return "", err
	}
	at := now.UTC().Format(timeForm)
	if n := len(taken); n > 0 && taken[n-1].time >= at {
		return fmt.Sprintf("%s%s-%03d%s", before, taken[n-1].time, taken[n-1].number+1, behind), nil
	}
	return before + at + behind, nil
}

// Files returns the files of the log that is written to name: the renamed ones,
// oldest first, and name itself if it exists.
func Files(name string) ([]string, error) {
	taken, err := (&file{name: name}).renamed()
	if err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	var all []string
	for _, r := range taken {
		all = append(all, r.name)
	}
	if _, err := os.Stat(name); err == nil {
		all = append(all, name)
	}
	return all, nil
}

// renamed is a renamed file. Its name has the time and, if that is not above 0, no number.
type renamed struct {
	name, time string
	number     int
}

var renamedTime = regexp.MustCompile(`^([0-9]{8}T[0-9]{6}\.[0-9]{3}Z)(?:-([0-9]{3,9}))?$`)

// renamed returns the renamed files, oldest first.
func (f *file) renamed() ([]renamed, error) {
	before, behind := f.parts()
	entries, err := os.ReadDir(filepath.Dir(f.name))
	if err != nil {
		return nil, err
	}
	var all []renamed
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), filepath.Base(before))
		middle, ended := strings.CutSuffix(middle, behind)
		if parts := renamedTime.FindStringSubmatch(middle); ok && ended && parts != nil {
			number, _ := strconv.Atoi(parts[2]) // 0 for none
			all = append(all, renamed{filepath.Join(filepath.Dir(f.name), e.Name()), parts[1], number})
		}
	}
	slices.SortFunc(all, func(a, b renamed) int {
		return cmp.Or(strings.Compare(a.time, b.time), cmp.Compare(a.number, b.number))
	})
	return all, nil
}

// prune removes the oldest renamed files.
func (f *file) prune() error {
	if f.config.maxFiles == 0 {
		return nil
	}
	all, err := f.renamed()
	for _, r := range all[:max(0, len(all)-f.config.maxFiles)] {
		err = errors.Join(err, os.Remove(r.name))
	}
	return err
}

// headSuffix ends the name of the file with the last head.
const headSuffix = ".head"

// writeHead writes the last head to a file beside the log, atomically.
func (f *file) writeHead(line []byte) error {
	to := f.name + headSuffix
	temporary := to + "." + strconv.Itoa(os.Getpid())
	if err := os.WriteFile(temporary, line, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, to)
}
