package decisionlog_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// verified verifies a log in one file without a key.
func verified(t testing.TB, text []byte) *decisionlog.Verification {
	t.Helper()
	name := filepath.Join(t.TempDir(), "log")
	must(t, os.WriteFile(name, text, 0o600))
	v, err := decisionlog.Verify([]string{name})
	must(t, err)
	return v
}

// chained writes a log of several files and runs, and returns its name.
func chained(t testing.TB, k *decisionlog.Key) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	events := eventsOf(t, "/reports/7", "alice", "bob", "", "carol")
	for range 3 {
		l, err := decisionlog.Open(name, decisionlog.WithChainKey(k), decisionlog.WithMaxFileSize(8192))
		must(t, err)
		for i := range 40 {
			e := events[i%len(events)]
			e.RequestID = fmt.Sprint("request ", i)
			l.Observe(t.Context(), e)
			if i%7 == 0 {
				must(t, l.Flush(t.Context()))
			}
		}
		must(t, l.Close())
	}
	return name
}

// TestTampering finds each of a thousand random alterations of a log, and where.
func TestTampering(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	name := chained(t, k)
	contents := func(name string) (all [][]byte) {
		for _, file := range files(t, name) {
			all = append(all, read(t, []string{file}))
		}
		return all
	}
	names := files(t, name)
	good := tampered{files: contents(name), head: read(t, []string{name + ".head"}), other: contents(chained(t, k))}
	newest, now := good.head, good.files
	verify := func(log *tampered) *decisionlog.Verification {
		t.Helper()
		var there []string
		defer func() { now = log.files }()
		for i, text := range log.files {
			if text == nil {
				must(t, os.Remove(names[i]))
				continue
			}
			if !bytes.Equal(text, now[i]) {
				must(t, os.WriteFile(names[i], text, 0o600))
			}
			there = append(there, names[i])
		}
		must(t, os.WriteFile(name+".head", log.head, 0o600))
		if log.extra != nil {
			there = append(there, filepath.Join(filepath.Dir(name), "copy"))
			must(t, os.WriteFile(there[len(there)-1], log.extra, 0o600))
		}
		opts := []decisionlog.VerifyOption{decisionlog.WithVerificationKeys(k)}
		if log.keptHead {
			opts = append(opts, decisionlog.WithKnownHead(newest))
		}
		v, err := decisionlog.Verify(there, opts...)
		must(t, err)
		return v
	}
	if v := verify(&good); len(v.Findings) > 0 || len(names) < 4 || len(good.other) < len(names) {
		t.Fatalf("%d files, findings before anything was altered: %v", len(names), v.Findings)
	}
	times := 1000
	if testing.Short() {
		times = 100
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range times {
		log := good.clone()
		what := alterations[i%len(alterations)](random, log)
		if log.equals(&good) {
			t.Fatalf("alteration %d, %s, altered nothing", i, what)
		}
		v := verify(log)
		if len(v.Findings) == 0 {
			t.Errorf("alteration %d was not found: %s", i, what)
		} else if place := v.Findings[0]; place.File == "" || place.Line < 1 {
			t.Errorf("alteration %d has no place: %v", i, place)
		}
	}
}

// tampered is a log altered by someone without the key.
type tampered struct {
	files [][]byte // nil for one that was removed
	head  []byte   // the file with the last head
	extra []byte   // an additional file
	other [][]byte // another log with the same key
	// keptHead is set if only a separately saved head shows the change.
	keptHead bool
}

func (l *tampered) clone() *tampered {
	return &tampered{files: slices.Clone(l.files), head: l.head, other: l.other}
}

func (l *tampered) equals(other *tampered) bool {
	return slices.EqualFunc(l.files, other.files, bytes.Equal) && bytes.Equal(l.head, other.head) && l.extra == nil
}

// linesOf returns lines, each with its end.
func linesOf(text []byte) [][]byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	return lines[:len(lines)-1]
}

// lines alters the lines of a random file.
func (l *tampered) lines(random *rand.Rand, alter func(lines [][]byte, at int) [][]byte) string {
	file := random.IntN(len(l.files))
	lines := linesOf(l.files[file])
	at := random.IntN(len(lines))
	l.files[file] = bytes.Join(alter(lines, at), nil)
	return fmt.Sprintf("line %d of file %d", at+1, file)
}

// alterations are what can be done to a log.
var alterations = []func(random *rand.Rand, l *tampered) string{
	func(random *rand.Rand, l *tampered) string { // one byte
		file := random.IntN(len(l.files))
		altered := bytes.Clone(l.files[file])
		at := random.IntN(len(altered))
		altered[at] ^= byte(1 + random.IntN(255))
		l.files[file] = altered
		return fmt.Sprintf("byte %d of file %d changed", at, file)
	},
	func(random *rand.Rand, l *tampered) string { // a value, so that the line is still valid JSON
		return "the reason in " + l.lines(random, func(lines [][]byte, at int) [][]byte {
			at = forgeable(lines, at)
			lines[at] = forged(lines[at])
			return lines
		})
	},
	func(random *rand.Rand, l *tampered) string {
		return "removed " + l.lines(random, func(lines [][]byte, at int) [][]byte { return slices.Delete(lines, at, at+1) })
	},
	func(random *rand.Rand, l *tampered) string {
		return "lines removed from " + l.lines(random, func(lines [][]byte, at int) [][]byte {
			return slices.Delete(lines, at, at+1+random.IntN(len(lines)-at))
		})
	},
	func(random *rand.Rand, l *tampered) string {
		return "swapped " + l.lines(random, func(lines [][]byte, at int) [][]byte {
			other := (at + 1 + random.IntN(len(lines)-1)) % len(lines)
			lines[at], lines[other] = lines[other], lines[at]
			return lines
		})
	},
	func(random *rand.Rand, l *tampered) string {
		return "a line repeated before " + l.lines(random, func(lines [][]byte, at int) [][]byte {
			return slices.Insert(lines, at, lines[random.IntN(len(lines))])
		})
	},
	func(random *rand.Rand, l *tampered) string {
		return "cut off from " + l.lines(random, func(lines [][]byte, at int) [][]byte { return lines[:at] })
	},
	func(random *rand.Rand, l *tampered) string {
		file := random.IntN(len(l.files))
		l.files[file] = l.files[file][:random.IntN(len(l.files[file]))]
		return fmt.Sprintf("file %d cut off at byte %d", file, len(l.files[file]))
	},
	func(random *rand.Rand, l *tampered) string {
		other := linesOf(l.other[random.IntN(len(l.other))])
		return "a line of another log in place of " + l.lines(random, func(lines [][]byte, at int) [][]byte {
			lines[at] = other[min(at, len(other)-1)]
			return lines
		})
	},
	func(random *rand.Rand, l *tampered) string {
		other := linesOf(l.other[random.IntN(len(l.other))])
		return "the rest of a file of another log from " + l.lines(random, func(lines [][]byte, at int) [][]byte {
			return append(lines[:at], other[min(at, len(other)-1):]...)
		})
	},
	func(random *rand.Rand, l *tampered) string {
		file := random.IntN(len(l.files))
		l.files[file] = l.other[file]
		return fmt.Sprintf("file %d is that of another log", file)
	},
	func(random *rand.Rand, l *tampered) string {
		file := 1 + random.IntN(len(l.files)-1) // the oldest may be missing
		l.files[file] = nil
		return fmt.Sprintf("file %d removed", file)
	},
	func(random *rand.Rand, l *tampered) string {
		file := random.IntN(len(l.files))
		l.extra = l.files[file]
		return fmt.Sprintf("file %d is there twice", file)
	},
	func(random *rand.Rand, l *tampered) string {
		file := random.IntN(len(l.files))
		l.files[file] = l.olderCopy(random, file)
		return fmt.Sprintf("file %d is an older copy", file)
	},
	func(random *rand.Rand, l *tampered) string {
		last := len(l.files) - 1
		l.files[last] = l.olderCopy(random, last)
		lines := linesOf(l.files[last])
		l.head = lines[len(lines)-1]
		l.keptHead = true
		return "an older copy of the last file, with the head of that time"
	},
	func(random *rand.Rand, l *tampered) string {
		var heads [][]byte
		for _, text := range l.files {
			for _, line := range linesOf(text) {
				if bytes.Contains(line, []byte(`"kind":"head"`)) {
					heads = append(heads, line)
				}
			}
		}
		l.head = heads[random.IntN(len(heads)-1)]
		l.keptHead = true
		l.files[len(l.files)-1] = l.olderCopy(random, len(l.files)-1)
		return "an older copy of the last file, with some older head"
	},
	func(random *rand.Rand, l *tampered) string {
		file := random.IntN(len(l.files))
		lines := linesOf(l.files[file])
		at := forgeable(lines, random.IntN(len(lines)))
		lines[at] = forged(lines[at])
		l.files[file] = bytes.Join(lines, nil)
		l.chainAgain(file, at)
		return fmt.Sprintf("the reason in line %d of file %d, with all hashes after it computed again", at+1, file)
	},
	func(random *rand.Rand, l *tampered) string {
		file := random.IntN(len(l.files))
		lines := linesOf(l.files[file])
		at := forgeable(lines, random.IntN(len(lines)))
		l.files[file] = bytes.Join(slices.Delete(lines, at, at+1), nil)
		l.chainAgain(file, at)
		return fmt.Sprintf("line %d of file %d removed, with all hashes after it computed again", at+1, file)
	},
}

// olderCopy returns a file as it was when one of its heads, but not the last, was
// written.
func (l *tampered) olderCopy(random *rand.Rand, file int) []byte {
	lines := linesOf(l.files[file])
	var ends []int
	for i, line := range lines[:len(lines)-1] {
		if bytes.Contains(line, []byte(`"kind":"head"`)) {
			ends = append(ends, i+1)
		}
	}
	return bytes.Join(lines[:ends[random.IntN(len(ends))]], nil)
}

// forgeable finds a line that forged alters, from at on and then from the beginning.
func forgeable(lines [][]byte, at int) int {
	for i := range lines {
		if j := (at + i) % len(lines); !bytes.Equal(forged(lines[j]), lines[j]) {
			return j
		}
	}
	panic("no line has a reason")
}

// forged turns a refusal into an allowed request.
func forged(line []byte) []byte {
	return bytes.Replace(line, []byte(`"reason":"denied"`), []byte(`"reason":"allowed"`), 1)
}

// chainAgain recomputes the hashes from a line on, as anyone without a key can.
func (l *tampered) chainAgain(file, at int) {
	const key = `,"chain":"`
	var was, is []byte // hashes of the previous line
	for f := file; f < len(l.files); f++ {
		lines := linesOf(l.files[f])
		for i, line := range lines {
			n := bytes.LastIndex(line, []byte(key))
			body, old := line[:n], line[n+len(key):n+len(key)+64]
			if f == file && i < at {
				was, is = old, old
				continue
			}
			body = bytes.Replace(body, slices.Concat([]byte(`"previous":"`), was), slices.Concat([]byte(`"previous":"`), is), 1)
			before, err := hex.AppendDecode(nil, is)
			if err != nil {
				panic(err)
			}
			sum := sha256.Sum256(append(before, body...))
			was, is = old, hex.AppendEncode(nil, sum[:])
			lines[i] = slices.Concat(body, []byte(key), is, []byte("\"}\n"))
		}
		l.files[f] = bytes.Join(lines, nil)
	}
	lines := linesOf(l.files[len(l.files)-1])
	l.head = lines[len(lines)-1]
}

// TestTamperingPlace: findings name the line.
func TestTamperingPlace(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	name := chained(t, k)
	first := files(t, name)[0]
	lines := bytes.SplitAfter(read(t, []string{first}), []byte("\n"))
	check := func(altered [][]byte, want string) {
		t.Helper()
		must(t, os.WriteFile(first, bytes.Join(altered, nil), 0o600))
		v, err := decisionlog.Verify(files(t, name), decisionlog.WithVerificationKeys(k))
		must(t, err)
		if len(v.Findings) == 0 || !strings.HasPrefix(v.Findings[0].String(), first+want) {
			t.Errorf("findings %v, want %s", v.Findings, want)
		}
	}
	changed := slices.Clone(lines)
	changed[4] = bytes.Replace(lines[4], []byte(`"method":"GET"`), []byte(`"method":"PUT"`), 1)
	check(changed, ":5: changed: ")
	check(slices.Delete(slices.Clone(lines), 4, 5), ":5: changed: ")
	swapped := slices.Clone(lines)
	swapped[4], swapped[5] = swapped[5], swapped[4]
	check(swapped, ":5: changed: ")
	check(slices.Insert(slices.Clone(lines), 4, []byte("{}\n")), ":5: unreadable: ")
	check(lines[1:], ":1: removed: ")
}

// TestForgery: heads reveal a forger who can write the files and recomputes all hashes.
func TestForgery(t *testing.T) {
	t.Parallel()
	k, other := newKey(t), newKey(t)
	name := chained(t, k)
	forged := chained(t, other)
	for _, tt := range []struct {
		what, want string
		name       string
		keys       []*decisionlog.Key
	}{
		{"another key", decisionlog.FindingSignature, forged, []*decisionlog.Key{k}},
		{"both keys", "", forged, []*decisionlog.Key{k, other}},
	} {
		v, err := decisionlog.Verify(files(t, tt.name), decisionlog.WithVerificationKeys(tt.keys...))
		must(t, err)
		if tt.want == "" && len(v.Findings) > 0 || tt.want != "" && (len(v.Findings) == 0 || v.Findings[0].Code != tt.want) {
			t.Errorf("%s: %v", tt.what, v.Findings)
		}
	}
	if _, err := decisionlog.Verify(files(t, name)); !errors.Is(err, decisionlog.ErrKeyNeeded) {
		t.Errorf("without a key: %v", err)
	}

	// The end is cut off, and the head file beside the log is removed or set back.
	head := read(t, []string{name + ".head"})
	text := read(t, []string{name})
	lines := bytes.SplitAfter(text, []byte("\n"))
	must(t, os.WriteFile(name, bytes.Join(lines[:2], nil), 0o600))
	codes := func(opts ...decisionlog.VerifyOption) string {
		t.Helper()
		v, err := decisionlog.Verify(files(t, name), append(opts, decisionlog.WithVerificationKeys(k))...)
		must(t, err)
		var all []string
		for _, f := range v.Findings {
			all = append(all, f.Code)
		}
		return strings.Join(all, " ")
	}
	if got := codes(); !strings.Contains(got, decisionlog.FindingTruncated) {
		t.Errorf("cut off: %s", got)
	}
	must(t, os.Remove(name+".head"))
	if got := codes(); got != decisionlog.FindingNoHead {
		t.Errorf("the head removed: %s", got)
	}
	must(t, os.WriteFile(name+".head", lines[1], 0o600))
	if got := codes(decisionlog.WithKnownHead(head)); !strings.Contains(got, decisionlog.FindingTruncated) {
		t.Errorf("the head set back, and one kept elsewhere: %s", got)
	}
	must(t, os.WriteFile(name, text, 0o600))
	must(t, os.WriteFile(name+".head", head, 0o600))
	if got := codes(decisionlog.WithKnownHead(head)); got != "" {
		t.Errorf("restored: %s", got)
	}

	// All heads are removed: the log looks like one that was never signed.
	plain := filepath.Join(t.TempDir(), "plain")
	l, err := decisionlog.Open(plain, decisionlog.WithHashChain())
	must(t, err)
	must(t, l.Close())
	v, err := decisionlog.Verify([]string{plain}, decisionlog.WithVerificationKeys(k))
	must(t, err)
	if len(v.Findings) != 1 || v.Findings[0].Code != decisionlog.FindingUnsigned {
		t.Errorf("no heads: %v", v.Findings)
	}
}

// TestHeadOfARenamedFile: a renamed log without a newer file is compared with the head
// beside it under the previous name.
func TestHeadOfARenamedFile(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	l, err := decisionlog.Open(name, decisionlog.WithChainKey(k))
	must(t, err)
	for _, e := range eventsOf(t, "/reports/7", "alice", "bob") {
		l.Observe(t.Context(), e)
	}
	must(t, l.Close())
	text := read(t, []string{name})
	lines := bytes.SplitAfter(text, []byte("\n"))
	for _, renamed := range []string{"decisions-20261129T010203.000Z.jsonl", "decisions.jsonl.1"} {
		to := filepath.Join(filepath.Dir(name), renamed)
		must(t, os.Rename(name, to))
		name = to
		codes := func(text []byte, opts ...decisionlog.VerifyOption) (all []string) {
			t.Helper()
			must(t, os.WriteFile(name, text, 0o600))
			v, err := decisionlog.Verify([]string{name}, append(opts, decisionlog.WithVerificationKeys(k))...)
			must(t, err)
			for _, f := range v.Findings {
				all = append(all, f.Code)
			}
			return all
		}
		if got := codes(text); got != nil {
			t.Errorf("%s: %v", renamed, got)
		}
		short := bytes.Join(lines[:2], nil) // the opening and its head
		if got := codes(short); !slices.Contains(got, decisionlog.FindingTruncated) {
			t.Errorf("%s, cut off: %v", renamed, got)
		}
		if got := codes(short, decisionlog.WithoutEnd()); got != nil {
			t.Errorf("%s, cut off and partial: %v", renamed, got)
		}
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	signer, err := decisionlog.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	must(t, err)
	if der, err = x509.MarshalPKIXPublicKey(public); err != nil {
		t.Fatal(err)
	}
	verifier, err := decisionlog.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	must(t, err)
	if !signer.Signs() || verifier.Signs() || signer.String() != verifier.String() {
		t.Errorf("keys %v and %v", signer, verifier)
	}
	if _, err := decisionlog.New(new(nowhere), decisionlog.WithChainKey(verifier)); err == nil {
		t.Error("a public key signs")
	}
	secret := bytes.Repeat([]byte("s"), 32)
	mac, err := decisionlog.ParseKey(secret)
	must(t, err)
	if !mac.Signs() || strings.Contains(fmt.Sprintf("%+v %#v", mac, mac), "sssss") {
		t.Errorf("key %v", mac)
	}
	name := chained(t, mac)
	if v, err := decisionlog.Verify(files(t, name), decisionlog.WithVerificationKeys(mac)); err != nil || len(v.Findings) > 0 {
		t.Errorf("HMAC: %+v, %v", v, err)
	}
	for _, bad := range []string{"", "short", "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"} {
		if k, err := decisionlog.ParseKey([]byte(bad)); err == nil {
			t.Errorf("%q is the key %v", bad, k)
		}
	}
}

// TestVerifyInvalidLogs: memory is bounded for any input.
func TestVerifyInvalidLogs(t *testing.T) {
	t.Parallel()
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "decisions.jsonl")
		must(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	v, err := decisionlog.Verify([]string{file(strings.Repeat("no line\n", 20_000))})
	must(t, err)
	if n := len(v.Findings); n != 10_001 || v.Lines != 20_000 || !strings.Contains(v.Findings[n-1].Message, "not listed") {
		t.Errorf("%d findings, %d lines", n, v.Lines)
	}
	for text, want := range map[string]string{
		"\x1f\x8b\x08 and so on\n":  "is compressed by gzip",
		strings.Repeat("a", 65<<20): "a line is longer than 64 MiB",
	} {
		if _, err := decisionlog.Verify([]string{file(text)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// A log without a chain is one finding, so that what else is wrong with it can be seen.
func TestVerifyWithoutChain(t *testing.T) {
	t.Parallel()
	lines := make([]string, 30)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"v":1,"kind":"decision","seq":%d,"time":"2026-11-29T01:02:03Z","outcome":"allowed"}`+"\n", i+1)
	}
	v := verified(t, []byte(strings.Join(slices.Delete(lines, 10, 12), "")))
	var got []string
	for _, f := range v.Findings {
		got = append(got, fmt.Sprint(f.Line, " ", f.Code))
	}
	if want := []string{"1 unchained", "11 removed"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
