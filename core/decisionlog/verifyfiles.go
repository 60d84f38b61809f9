package decisionlog

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// inOrder sorts files by the number of their first numbered line. heads are the files
// that may contain a head for them.
func inOrder(files []string) (ordered, heads []string, err error) {
	if len(files) == 0 {
		return nil, nil, errors.New("no file")
	}
	first := map[string]uint64{}
	for _, name := range files {
		record, err := firstRecord(name)
		if err != nil {
			return nil, nil, err
		}
		own := []string{name + headSuffix}
		if record != nil {
			first[name] = record.Seq
			own = append(own, headNamed(name, record)...)
		}
		for _, head := range own {
			if !slices.Contains(heads, head) {
				heads = append(heads, head)
			}
		}
	}
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(first[a], first[b]) })
	return slices.Compact(sorted), heads, nil
}

// readLine reads a line with its line feed, up to the length of a log's lines.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxLine {
			return nil, fmt.Errorf("a line is longer than %d MiB, so this is not a decision log", maxLine>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// firstRecord returns the first readable line of a file, or nil.
func firstRecord(name string) (*Record, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	r := bufio.NewReaderSize(f, 64<<10)
	if first, _ := r.Peek(2); string(first) == "\x1f\x8b" { // the error is reported later
		return nil, fmt.Errorf("%s is compressed by gzip: decompress it first", name)
	}
	for {
		line, err := readLine(r)
		if record, bad := Parse(line); bad == nil {
			return record, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
}

// headNamed returns the head file, beside the log, that the opening of the log names.
func headNamed(log string, r *Record) []string {
	if r.Open == nil || !strings.HasSuffix(r.Open.HeadFile, headSuffix) {
		return nil
	}
	return []string{filepath.Join(filepath.Dir(log), filepath.Base(r.Open.HeadFile))}
}
