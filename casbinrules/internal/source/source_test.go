package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/core/watch"
)

// TestHashAtAPace: a long file is summed up in pieces, and to the same.
func TestHashAtAPace(t *testing.T) {
	long := bytes.Repeat([]byte("p, a, /x, GET\n"), 2*hashedAtOnce/14)
	contents := func() *Contents { return &Contents{Policies: []watch.File{{Name: "p.csv", Content: long}}} }
	var all []byte
	for _, part := range [][]byte{nil, []byte("p.csv"), long} {
		all = append(all, 0, 0, 0, 0, 0, byte(len(part)>>16), byte(len(part)>>8), byte(len(part)))
		all = append(all, part...)
	}
	sum := sha256.Sum256(all)
	want := hex.EncodeToString(sum[:])
	if got := contents().Hash(); got != want {
		t.Errorf("Hash is %s, want %s", got, want)
	}
	if got := contents().HashAt(pace.New(time.Now().Add(-time.Hour))); got != want {
		t.Errorf("HashAt is %s, want %s", got, want)
	}
}
