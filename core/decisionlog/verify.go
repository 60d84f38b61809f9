package decisionlog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
)

// Verification is the result of [Verify].
type Verification struct {
	Findings []Finding `json:"findings"`
	// Lines is the number of lines read, First and Last the numbers of the first
	// and the last of them.
	Lines int    `json:"lines"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Signed is the number of the last line covered by a head with a valid
	// signature; 0 for none. Lines after it could be cut off without being noticed.
	Signed uint64 `json:"signed"`
	// QueueFull and WriteFailed count decisions that are missing according to the
	// log, LostAtMost those that killed processes may have lost in addition.
	QueueFull   uint64 `json:"queue_full"`
	WriteFailed uint64 `json:"write_failed"`
	LostAtMost  uint64 `json:"lost_at_most"`
}

// VerifyOption configures [Verify].
type VerifyOption func(*verifier) error

// WithVerificationKeys sets the keys that heads may be signed with: current and
// former ones.
func WithVerificationKeys(keys ...*Key) VerifyOption {
	return func(v *verifier) error {
		return option.SetUnless(&v.keys, append(v.keys, keys...), len(keys) == 0 || slices.Contains(keys, nil),
			"a verification key is nil or missing")
	}
}

// WithKnownHead sets the line of a head that was kept elsewhere: the log must reach
// and contain it.
func WithKnownHead(line []byte) VerifyOption {
	return func(v *verifier) error {
		if err := v.expectHead("known head", bytes.TrimSpace(line)); err != nil {
			return fmt.Errorf("known head: %w", err)
		}
		return nil
	}
}

// WithoutEnd says that newer files of the log are not among those given, so that
// its end is not checked.
func WithoutEnd() VerifyOption { return func(v *verifier) error { return option.On(&v.partial) } }

// ErrKeyNeeded means that a log has signed heads but no key was given: without one
// nothing is proved.
var ErrKeyNeeded = errors.New("the log has signed heads: a key is needed to verify them")

// Verify reads the files of one log with a hash chain and finds every line that was
// changed, removed, swapped or inserted, and whether its end was cut off before the
// last known head. Files are sorted by the numbers of their lines. Verify also
// reads a file next to one of them whose name ends in ".head", and the head file
// that the log itself names, which has the name of the log before it was renamed.
//
// Missing older files are not a finding, since logs are rotated: see First. The
// error says why the log cannot be read, or is ErrKeyNeeded.
func Verify(files []string, opts ...VerifyOption) (*Verification, error) {
	v := &verifier{hash: sha256.New(), heads: map[uint64]knownHead{}, result: &Verification{Findings: []Finding{}}}
	if err := option.Apply(v, opts); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	ordered, heads, err := inOrder(files)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	for _, name := range heads {
		if v.partial {
			break
		}
		if err := v.readHeadFile(name); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	for i, name := range ordered {
		if err := v.file(name, i == len(ordered)-1); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	if err := v.finish(); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return v.result, nil
}

// knownHead is a head that the log must contain.
type knownHead struct {
	chain  hashed
	source string
}

// maxFindings is the maximum number of findings, so that a file which is not a log does
// not take unlimited memory.
const maxFindings = 10_000

// verifier reads a log.
type verifier struct {
	keys   []*Key
	hash   hash.Hash
	heads  map[uint64]knownHead // by the number of the line that they sign
	result *Verification

	name     string
	line     int
	begun    bool // a line was read
	prev     hashed
	known    bool // prev is that of the line before
	before   hashed
	followed bool // before is the hash of the line before the current one
	signed   bool // a run signs its heads
	// unchained reports that the line before has no hash.
	unchained bool
	partial   bool
	lastFile  string
	headFile  string // that the last opening names, or ""
}

func (v *verifier) find(code, format string, args ...any) {
	switch n := len(v.result.Findings); {
	case n > maxFindings:
		return
	case n == maxFindings:
		code, format, args = FindingUnreadable, "there are more findings than these %d, which are not listed", []any{maxFindings}
	}
	v.result.Findings = append(v.result.Findings, Finding{v.name, v.line, code, fmt.Sprintf(format, args...)})
}

// expectHead records a head that the log must contain.
func (v *verifier) expectHead(source string, line []byte) error {
	r, err := Parse(line)
	if err != nil {
		return err
	}
	if r.Head == nil {
		return errors.New("it is not a head")
	}
	chain, ok := parseHash(r.Head.Chain)
	if !ok {
		return errors.New("it has no hash")
	}
	v.expect(r.Head.Of, knownHead{chain, source})
	if _, own, ok := splitChain(line); ok {
		v.expect(r.Seq, knownHead{own, source}) // its own line
	}
	return nil
}

// expect records a hash. The first head for a line, which is one that was kept
// elsewhere, is not replaced by one from beside the log.
func (v *verifier) expect(number uint64, k knownHead) {
	have, known := v.heads[number]
	switch {
	case !known:
		v.heads[number] = k
	case have.chain != k.chain:
		v.find(FindingChanged, "the heads in %s and %s differ about number %d", have.source, k.source, number)
	}
}

// readHeadFile reads a head from beside a file of a log, if there is one.
func (v *verifier) readHeadFile(name string) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := v.expectHead(name, bytes.TrimSpace(text)); err != nil {
		v.name, v.line = name, 1
		v.find(FindingUnreadable, "%s", err)
	}
	return nil
}

func (v *verifier) file(name string, newest bool) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() // only read
	v.name, v.line, v.lastFile, v.unchained = name, 0, name, false
	r := bufio.NewReaderSize(f, 256<<10)
	for {
		line, err := readLine(r)
		if newest && len(line) > 0 && errors.Is(err, io.EOF) {
			line, err = rest(r, line)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(line) > 0 {
			v.line++
			if err != nil {
				v.find(FindingCut, "the line is incomplete: the process was killed while writing it, or the file was truncated; later lines begin with the next opening")
				v.known = false
				return nil
			}
			v.read(line[:len(line)-1])
		}
		if err != nil {
			if v.line == 0 {
				v.line = 1
				v.find(FindingRemoved, "the file is empty: a file must begin with an opening")
			}
			return nil
		}
	}
}

// rest waits a moment for the end of a line: the last line of a log in use may be only
// partly written.
func rest(r *bufio.Reader, line []byte) ([]byte, error) {
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		more, err := readLine(r)
		line = append(line, more...)
		if !errors.Is(err, io.EOF) {
			return line, err
		}
	}
	return line, io.EOF
}

// read checks one line.
func (v *verifier) read(line []byte) {
	v.result.Lines++
	r, err := Parse(line)
	if err != nil {
		v.find(FindingUnreadable, "%s", err)
		v.known = false
		return
	}
	body, chain, ok := splitChain(line)
	if !ok {
		if !v.unchained { // one finding for all such lines in a row
			v.find(FindingUnchained, "the line has no hash: the log was not chained from here on, or hashes were removed")
		}
		v.number(r)
		v.known, v.unchained = false, true
		return
	}
	v.unchained = false
	v.opening(r)
	if !v.known {
		// The lines before are lost, which was reported: continue from this line.
		v.prev = chain
	} else if got := v.prev; got.follow(v.hash, body) != chain {
		v.find(FindingChanged, "the hash does not match: this line, or one before it, was changed")
	}
	v.number(r)
	v.before, v.followed = v.prev, v.known
	v.prev, v.known = chain, true
	if want, ok := v.heads[r.Seq]; ok {
		if want.chain != chain {
			v.find(FindingChanged, "the line is not the one that the head in %s describes", want.source)
		}
		delete(v.heads, r.Seq)
	}
	v.kind(r)
}

// opening checks that a file begins with an opening that continues where the previous
// file ended.
func (v *verifier) opening(r *Record) {
	if r.Open == nil {
		if v.line == 1 {
			v.find(FindingRemoved, "the file does not begin with an opening: lines before this one are missing")
			v.known = v.known && v.begun
		}
		return
	}
	previous, ok := parseHash(r.Open.Previous)
	switch {
	case !ok:
		v.find(FindingUnreadable, "the opening does not say which hash it continues from")
		return
	case v.known && previous != v.prev:
		v.find(FindingRemoved, "the opening does not continue from the line before it: lines or a file between them are missing or were changed")
	case r.Seq == 1 && previous != hashed{}:
		v.find(FindingChanged, "the first line of the log continues from another line")
	}
	v.prev, v.known = previous, true
}

// number checks that lines are numbered consecutively.
func (v *verifier) number(r *Record) {
	res := v.result
	switch {
	case !v.begun:
		v.begun, res.First = true, r.Seq
	case r.Seq > res.Last+1:
		v.find(FindingRemoved, "number %d follows number %d: %d lines between them are missing here", r.Seq, res.Last, r.Seq-res.Last-1)
	case r.Seq <= res.Last:
		v.find(FindingOrder, "number %d follows number %d: a line is inserted, repeated or swapped", r.Seq, res.Last)
	}
	res.Last = r.Seq
}

// kind checks what the log says about itself.
func (v *verifier) kind(r *Record) {
	res := v.result
	switch {
	case r.Dropped != nil:
		res.QueueFull += r.Dropped.QueueFull
		res.WriteFailed += r.Dropped.WriteFailed
	case r.Open != nil:
		res.LostAtMost += uint64(max(0, r.Open.LostAtMost))
		if r.Open.Signed != "" {
			v.signed = true
		}
		v.headFile = ""
		for _, name := range headNamed(v.name, r) {
			v.headFile = name
		}
	case r.Head != nil:
		v.signed = true
		v.head(r)
	}
}

// head checks a signature.
func (v *verifier) head(r *Record) {
	h := r.Head
	chain, ok := parseHash(h.Chain)
	if !ok || h.Of+1 != r.Seq {
		v.find(FindingChanged, "the head does not describe the line before it")
		return
	}
	if len(v.keys) == 0 {
		return // ErrKeyNeeded
	}
	at := slices.IndexFunc(v.keys, func(k *Key) bool { return k.algorithm == h.Algorithm && k.id == h.Key })
	switch {
	case at < 0:
		v.find(FindingSignature, "the head is signed with the key %s:%s, which was not given", h.Algorithm, h.Key)
	case !v.keys[at].verify(headMessage(h.Of, chain, h.Final), h.Signature):
		v.find(FindingSignature, "the signature of the head is wrong")
	case !v.followed:
		// It was reported that the line before is missing or unreadable.
	case v.before != chain:
		v.find(FindingSignature, "the head was signed for another line: lines before it were changed")
	default:
		v.result.Signed = h.Of
	}
}

// finish reports what is missing at the end.
func (v *verifier) finish() error {
	if v.signed && len(v.keys) == 0 {
		return ErrKeyNeeded
	}
	v.name = v.lastFile
	for _, of := range slices.Sorted(maps.Keys(v.heads)) {
		switch head := v.heads[of]; {
		case of > v.result.Last:
			v.find(FindingTruncated, "the log ends with number %d, and there was a number %d when the head in %s was written: its end was cut off, or newer files are not among those given", v.result.Last, of, head.source)
		case of >= v.result.First:
			v.find(FindingRemoved, "number %d is missing, although the head in %s describes it", of, head.source)
		}
	}
	if v.result.Signed == 0 && len(v.keys) > 0 { // whatever the log says of itself
		v.find(FindingUnsigned, "a key was given, but the log has no heads: they were removed, or the log was never signed")
	}
	if v.partial || v.headFile == "" {
		return nil
	}
	if _, err := os.Stat(v.headFile); errors.Is(err, fs.ErrNotExist) {
		v.find(FindingNoHead, "there is no %s, so lines missing from the end cannot be detected", v.headFile)
	}
	return nil
}
