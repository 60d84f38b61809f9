package decisionlog_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// TestKilledDuringRotation: wherever a process is killed between renaming the file and
// the end of the new one's first line, the next run goes on with the chain, and says that
// the end was not clean and which line was cut.
func TestKilledDuringRotation(t *testing.T) {
	t.Parallel()
	dir, k, e := t.TempDir(), newKey(t), eventsOf(t, "/reports/7", "bob")[0]
	name := filepath.Join(dir, "decisions.jsonl")
	open := func(size int64) *decisionlog.Log {
		l, err := decisionlog.Open(name, decisionlog.WithChainKey(k), decisionlog.WithMaxFileSize(size))
		must(t, err)
		return l
	}
	l := open(4096)
	for len(files(t, name)) == 1 {
		l.Observe(t.Context(), e)
		must(t, l.Flush(t.Context()))
	}
	before := read(t, []string{name + ".head"})
	renamed := files(t, name)[:1]
	first, _, _ := bytes.Cut(read(t, []string{name}), []byte("\n"))
	old := read(t, renamed)
	must(t, l.Close())
	for cut := -1; cut <= len(first); cut++ { // -1 for no new file
		for _, f := range files(t, name) {
			must(t, os.Remove(f))
		}
		must(t, os.WriteFile(renamed[0], old, 0o600))
		must(t, os.WriteFile(name+".head", before, 0o600))
		if cut >= 0 {
			must(t, os.WriteFile(name, first[:cut], 0o600))
		}
		l := open(1 << 20)
		l.Observe(t.Context(), e)
		must(t, l.Close())
		what := fmt.Sprintf("%d of %d bytes of the first line", cut, len(first))
		o := parsed(t, read(t, []string{name}))[0].Open
		if o == nil || !o.Unclean || o.LostAtMost == 0 || o.Cut != string(first[:max(0, min(cut, len(o.Cut)))]) || (o.Cut == "") != (cut <= 0) {
			t.Fatalf("%s: opening %+v", what, o)
		}
		v, err := decisionlog.Verify(files(t, name), decisionlog.WithVerificationKeys(k))
		if err != nil || len(v.Findings) > 0 || v.First != 1 {
			t.Fatalf("%s: %+v, %v", what, v, err)
		}
	}
}
