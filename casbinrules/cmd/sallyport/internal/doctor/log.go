package doctor

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxLine is the maximum length of a log line, in bytes.
const maxLine = 1 << 20

// Why lines are not read.
const (
	tooLong = "longer than 1 MiB"
	binary  = "not text"
	broken  = "cut off or broken"
)

// ReadLog counts the lines that core.LogObserver wrote, in the formats of slog's JSON, text
// and default handlers, even if a log collector has added a prefix or wrapped them in JSON.
// Input compressed by gzip is decompressed. A request that passed several gates has a line
// for each; a refused one has a single line. The number of allowed requests is therefore
// that of the kind of gate that allowed the most. Other lines are ignored; lines that
// cannot be read are counted.
func ReadLog(r io.Reader) (*Counts, error) {
	in, err := plainText(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	l := logReader{counts: &Counts{Unread: map[string]int{}, revisions: map[string]string{}}, allowed: map[string]float64{}, failing: map[string]Finding{}}
	for {
		line, long, err := nextLine(in)
		if len(line) > 0 || long {
			l.counts.Lines++
			l.read(line, long)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the log: line %d: %w", l.counts.Lines+1, err)
		}
	}
	l.end()
	return l.counts, nil
}

// compressed maps the first bytes of unsupported formats to their names.
var compressed = map[string]string{"\x28\xb5\x2f\xfd": "zstd", "\xfd7zXZ": "xz", "BZh": "bzip2", "PK\x03\x04": "zip"}

// plainText returns in, decompressed if it is compressed by gzip.
func plainText(in *bufio.Reader) (*bufio.Reader, error) {
	first, err := in.Peek(5)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for magic, format := range compressed {
		if bytes.HasPrefix(first, []byte(magic)) {
			return nil, fmt.Errorf("it is compressed (%s): decompress it and give it as standard input, with -", format)
		}
	}
	switch {
	case bytes.HasPrefix(first, []byte("\x1f\x8b")):
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		return bufio.NewReaderSize(unzipped, 64<<10), nil
	case bytes.HasPrefix(first, []byte("\xff\xfe")), bytes.HasPrefix(first, []byte("\xfe\xff")):
		return nil, errors.New("it is UTF-16: convert it to UTF-8")
	case bytes.HasPrefix(first, []byte("\xef\xbb\xbf")):
		_, err = in.Discard(3)
		return in, err
	}
	return in, nil
}

// nextLine returns the next line without its line ending; long reports that the rest of it
// was skipped.
func nextLine(in *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			line, long = nil, true
		}
		switch {
		case long:
		case line == nil && err == nil:
			return bytes.TrimRight(part, "\r\n"), false, nil // no copy in the common case
		default:
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\r\n"), long, err
		}
	}
}

type logReader struct {
	counts  *Counts
	allowed map[string]float64 // by gate
	policy  map[string]string  // the last known revision of each policy
	failing map[string]Finding // failures without a later recovery, by what failed
}

// relevantWords are those of which a relevant line contains at least one.
var relevantWords = [][]byte{[]byte("access"), []byte("policy "), []byte("policy: "), []byte("keys "), []byte("file "), []byte("revocations "), []byte("decisions ")}

func (l *logReader) read(line []byte, long bool) {
	switch {
	case long:
		l.counts.Unread[tooLong]++
		return
	case bytes.IndexByte(line, 0) >= 0:
		l.counts.Unread[binary]++
		return
	}
	for _, word := range relevantWords {
		if bytes.Contains(line, word) {
			l.note(string(line))
			return
		}
	}
}

// note counts a line that may be one of ours.
func (l *logReader) note(line string) {
	f := fields(line)
	switch message := f["msg"]; {
	case f == nil:
		l.counts.Unread[broken]++
	case message == "access":
		l.access(f)
	case strings.HasPrefix(message, "policy ") && f["outcome"] != "":
		l.policy = f
		if o := f["outcome"]; (o == "loaded" || o == "unchanged") && f["revision"] != "" {
			l.counts.revisions[""] = f["revision"]
		}
	case strings.HasPrefix(message, "policy: ") && f["level"] == "ERROR":
		if l.policy["error"] == "" && l.policy != nil { // the first mistake of the policy that was rejected
			l.policy["error"] = strings.TrimPrefix(message, "policy: ")
		}
	case strings.HasPrefix(message, "keys not fetched"):
		l.failing["keys of "+f["issuer"]] = Finding{Plumbing: keys, Alert: keySetStale, Look: keySetLook, Seen: fmt.Sprintf("the keys of %s were not fetched: %s", cmp.Or(f["issuer"], "an issuer"), f["error"])}
	case message == "keys fetched again":
		delete(l.failing, "keys of "+f["issuer"])
	case strings.HasPrefix(message, "file not taken from its store"):
		l.failing["file "+f["file"]] = Finding{Plumbing: policy, Alert: policyOutdated, Look: outdatedLook, Seen: message + ": " + f["file"] + ": " + f["error"]}
	case strings.HasPrefix(message, "file not confirmed by its store"):
		l.failing["file "+f["file"]] = Finding{Plumbing: dependency, Alert: sourceStale, Look: storeLook, Seen: message + ": " + f["file"] + ": " + f["error"]}
	case strings.HasPrefix(message, "file loaded from its store"), strings.HasPrefix(message, "file confirmed by its store"):
		delete(l.failing, "file "+f["file"])
	case strings.HasPrefix(message, "revocations not read"):
		l.failing["revocations"] = Finding{Plumbing: dependency, Alert: sourceStale, Look: storeLook, Seen: message + ": " + f["error"]}
	case message == "revocations read from their log again":
		delete(l.failing, "revocations")
	case strings.HasPrefix(message, "decisions cannot be written"):
		l.failing["decisions"] = Finding{Plumbing: program, Alert: decisionsLost, Look: decisionsLook, Seen: message + ": " + f["error"]}
	}
}

// end is called after the last line.
func (l *logReader) end() {
	c := l.counts
	switch p := l.policy; p["outcome"] {
	case "rejected", "failed":
		c.note(Finding{Plumbing: policy, Alert: policyOutdated, Seen: p["msg"] + ": " + p["error"], Look: "the file and line that it names; sallyport lint says the same. Revocations of the edit do not count yet"})
	case "stale":
		c.note(Finding{Plumbing: dependency, Alert: sourceStale, Seen: p["msg"] + ": " + p["error"], Look: storeLook})
	}
	for _, what := range slices.Sorted(maps.Keys(l.failing)) {
		c.note(l.failing[what])
	}
}

// note adds a finding unless it is already there.
func (c *Counts) note(f Finding) {
	for _, have := range c.Notes {
		if have.Plumbing == f.Plumbing && have.Alert == f.Alert && have.Look == f.Look {
			return
		}
	}
	c.Notes = append(c.Notes, f)
}

// access counts a verdict. A line that lacks a required field was cut off, and one with an
// unknown outcome comes from another program.
func (l *logReader) access(f map[string]string) {
	c := l.counts
	if f["gate"] == "" || f["outcome"] == "" {
		c.Unread[broken]++
		return
	}
	if f["revision"] != "" {
		c.revisions[""] = f["revision"]
	}
	switch outcome := f["outcome"]; outcome {
	case "allowed":
		l.allowed[f["gate"]]++
		c.Allowed = max(c.Allowed, l.allowed[f["gate"]])
	case "preflight", "client_gone":
	default:
		if statuses[outcome] != 0 {
			kind := Kind{outcome, f["reason"]}
			c.Add(kind, 1, f["route"], f["rule"], f["scheme"])
			if t := c.Refused[kind]; t != nil && f["cause"] != "" {
				t.Cause = strings.TrimPrefix(f["cause"], kind.Reason+": ")
			}
		}
	}
}
