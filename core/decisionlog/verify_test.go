package decisionlog_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
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

// verified is a log in one file without a key.
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
	good := map[string][]byte{}
	for _, file := range files(t, name) {
		good[file] = read(t, []string{file})
	}
	names := files(t, name)
	verify := func() *decisionlog.Verification {
		t.Helper()
		v, err := decisionlog.Verify(names, decisionlog.WithVerificationKeys(k))
		must(t, err)
		return v
	}
	if v := verify(); len(v.Findings) > 0 || len(names) < 4 {
		t.Fatalf("%d files, findings before anything was altered: %v", len(names), v.Findings)
	}
	times := 1000
	if testing.Short() {
		times = 200
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range times {
		file := names[random.IntN(len(names))]
		altered, what := alter(random, good[file], file == names[len(names)-1])
		if bytes.Equal(altered, good[file]) {
			t.Fatalf("alteration %d, %s, altered nothing", i, what)
		}
		must(t, os.WriteFile(file, altered, 0o600))
		v := verify()
		if len(v.Findings) == 0 {
			t.Errorf("alteration %d was not found: %s in %s", i, what, filepath.Base(file))
		}
		if place := v.Findings; len(place) > 0 && (place[0].File == "" || place[0].Line < 1) {
			t.Errorf("alteration %d has no place: %v", i, place[0])
		}
		must(t, os.WriteFile(file, good[file], 0o600))
	}
}

// alter changes a file so that it is another one.
func alter(random *rand.Rand, text []byte, last bool) ([]byte, string) {
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines = lines[:len(lines)-1]
	at := random.IntN(len(lines))
	switch kind := random.IntN(8); kind {
	case 0: // one byte
		altered := bytes.Clone(text)
		i := random.IntN(len(altered))
		altered[i] ^= byte(1 + random.IntN(255))
		return altered, fmt.Sprintf("byte %d changed", i)
	case 1:
		return bytes.Join(slices.Delete(slices.Clone(lines), at, at+1), nil), fmt.Sprintf("line %d removed", at+1)
	case 2:
		other := (at + 1 + random.IntN(len(lines)-1)) % len(lines)
		swapped := slices.Clone(lines)
		swapped[at], swapped[other] = swapped[other], swapped[at]
		return bytes.Join(swapped, nil), fmt.Sprintf("lines %d and %d swapped", at+1, other+1)
	case 3:
		return bytes.Join(slices.Insert(slices.Clone(lines), at, lines[random.IntN(len(lines))]), nil), fmt.Sprintf("a line inserted before %d", at+1)
	case 4:
		return bytes.Join(lines[:at], nil), fmt.Sprintf("cut off from line %d", at+1)
	case 5:
		cut := random.IntN(len(text))
		return text[:cut], fmt.Sprintf("cut off at byte %d", cut)
	case 6: // a value, so that the line is still good JSON
		for i := range lines {
			j := (at + i) % len(lines)
			if changed := bytes.Replace(lines[j], []byte(`"reason":"denied"`), []byte(`"reason":"allowed"`), 1); !bytes.Equal(changed, lines[j]) {
				altered := slices.Clone(lines)
				altered[j] = changed
				return bytes.Join(altered, nil), fmt.Sprintf("the reason in line %d", j+1)
			}
		}
	}
	to := at + 1 + random.IntN(len(lines)-at)
	return bytes.Join(slices.Delete(slices.Clone(lines), at, to), nil), fmt.Sprintf("lines %d to %d removed, last file %t", at+1, to, last)
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

// TestForgery: whoever can write the files, and computes all hashes again, is found
// by the heads.
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

	// The end is cut off, and the head beside it removed or set back.
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
		t.Errorf("put back: %s", got)
	}

	// All heads are taken off: the log looks like one that was never signed.
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

// TestHeadOfARenamedFile: a log that was renamed, and of which no newer file is
// there, is held against the head beside it, which has the name it had before.
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
