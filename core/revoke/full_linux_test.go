package revoke_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
)

// fullDisk says which file a process of its own, which has a disk that is full
// after so many bytes, is to write.
const fullDisk = "SALLYPORT_TEST_FULL_DISK"

// A line of which a part is on the disk would keep the next start from reading the
// file, or be an entry that revokes more, such as the tokens of all issuers.
func TestFileOnAFullDisk(t *testing.T) {
	entries := []revoke.Entry{
		{ID: "3f2a9c01", Issuer: "https://issuer.example", Expires: noon.Add(time.Hour)},
		{Subject: "alice", IssuedBefore: noon, Issuer: "https://issuer.example"},
		{All: true, IssuedBefore: noon, Issuer: "https://issuer.example"},
	}
	if path := os.Getenv(fullDisk); path != "" {
		fillDisk(t, path, entries)
		return
	}
	path := filepath.Join(t.TempDir(), "revoked.txt")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFileOnAFullDisk$")
	cmd.Env = append(os.Environ(), fullDisk+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fillDisk(t *testing.T, path string, entries []revoke.Entry) {
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
	now := revoke.WithClock(func() time.Time { return noon })
	const before = "jti first\n"
	for i, e := range entries {
		for room := range len("\n" + e.String() + "\n") {
			must(t, os.WriteFile(path, []byte(before), 0o600))
			f, err := revoke.OpenFile(path, now)
			must(t, err)
			must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(len(before) + room), Max: was.Max}))
			err = f.Revoke(e)
			must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was))
			if !errors.Is(err, syscall.EFBIG) {
				t.Fatalf("entry %d, room for %d bytes: %v", i, room, err)
			}
			if !isRevoked(t, f, revoke.Token{Issuer: e.Issuer, ID: e.ID, Subject: e.Subject, IssuedAt: noon.Add(-time.Hour)}) {
				t.Errorf("entry %d, room for %d bytes: it does not count", i, room)
			}
			if data, err := os.ReadFile(path); err != nil || string(data) != before {
				t.Fatalf("entry %d, room for %d bytes: the file is %q, %v", i, room, bytes.TrimSpace(data), err)
			}
			must(t, f.Revoke(e)) // there is room again
			again, err := revoke.OpenFile(path, now)
			must(t, err)
			if again.Len() != 2 || strings.Count(readFile(t, path), "first") != 1 {
				t.Errorf("entry %d, room for %d bytes: %d entries", i, room, again.Len())
			}
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}
