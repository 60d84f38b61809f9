package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	from "github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

// TestHashAtAPace: a long file is hashed in pieces, with the same result for a local file
// and for one of a source, which may know its hash.
func TestHashAtAPace(t *testing.T) {
	var long []byte
	for i := range 10_000 {
		long = fmt.Appendf(long, "p, user%d, /x, GET\n", i)
	}
	files := []from.File{{Name: "a/other.csv", Content: long[:100]}, {Name: "b/p.csv", Content: long}}
	hash := func(in *Contents, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return in.HashAt(pace.New(time.Now().Add(-time.Hour)))
	}
	all := []byte("\x00\x00\x00\x00\x00\x00\x00\x05model\x00\x00\x00\x00\x00\x00\x00\x05p.csv")
	sum := from.SumFile(long, nil)
	whole := sha256.Sum256(append(all, sum[:]...))
	want := hex.EncodeToString(whole[:])
	machine := Contents{Model: Model{Name: "m", Text: "model"}, Policies: []watch.File{{Name: "/etc/p.csv", Content: long}}}
	if got := machine.Hash(); got != want {
		t.Errorf("of a file the hash is %s, want %s", got, want)
	}
	machine.sum = ""
	if got := hash(&machine, nil); got != want {
		t.Errorf("of a file at a pace the hash is %s, want %s", got, want)
	}
	s := Sources{Model: machine.Model, Policies: []string{"b"}, Shared: true}
	content, err := from.NewContent(1, files)
	if err != nil {
		t.Fatal(err)
	}
	if got := hash(s.TakeContent(content)); got != want {
		t.Errorf("of a source the hash is %s, want %s", got, want)
	}
	new(from.Edits).Keep(from.State{Revision: 1, Hash: content.Hash()}, content)
	if got := hash(s.TakeContent(content)); got != want {
		t.Errorf("of a source that knows its sums the hash is %s, want %s", got, want)
	}
}

// edited is a file system in which a policy changes whenever it is read, a number of
// times.
type edited struct {
	fstest.MapFS
	edits int
}

func (e *edited) ReadFile(name string) ([]byte, error) {
	if name == "p.csv" && e.edits > 0 {
		e.edits--
		e.MapFS[name] = &fstest.MapFile{Data: fmt.Appendf(nil, "p, user%d, /x, GET\n", e.edits)}
	}
	return e.MapFS.ReadFile(name)
}

// TestFilesThatChangeAreReadAgain: an fs.FS does not report changes, so its files are read
// until they stay the same.
func TestFilesThatChangeAreReadAgain(t *testing.T) {
	for edits, settled := range map[int]bool{0: true, 1: true, readTries: true, readTries + 1: false, 100: false} {
		s := Sources{FS: &edited{fstest.MapFS{"p.csv": {Data: []byte("p, user0, /x, GET\n")}}, edits}, Model: Model{Name: "m", Text: "model"}, Policies: []string{"p.csv"}}
		in, err := s.Read()
		if !settled {
			if !errors.Is(err, watch.ErrChanging) {
				t.Errorf("%d edits: error %v, want %v", edits, err, watch.ErrChanging)
			}
			continue
		}
		if err != nil || string(in.Policies[0].Content) != "p, user0, /x, GET\n" {
			t.Errorf("%d edits: %v, error %v", edits, in, err)
		}
	}
}
