package engine_test

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
)

// TestSpellingsOfALongPath: the text behind a word is not copied for each byte of it.
func TestSpellingsOfALongPath(t *testing.T) {
	s := engine.NewSpellings()
	s.Learn("/Admin")
	path := strings.Repeat("/admin", 5) + strings.Repeat("/a", 4000)
	found, err := s.Of(path, len(path))
	if err != nil || len(found) != 1<<5-1 {
		t.Fatalf("%d spellings, error %v", len(found), err)
	}
	if n := testing.AllocsPerRun(1, func() { _, _ = s.Of(path, len(path)) }); n > 500 {
		t.Errorf("%v allocations", n)
	}
}
