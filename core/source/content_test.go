package source_test

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/source"
)

// TestContentNames: whoever writes the files of a revision to a folder writes nothing
// beside it, on any system, and nothing that a tool would execute.
func TestContentNames(t *testing.T) {
	long := strings.Repeat("a", 255)
	for _, name := range []string{"policy.csv", "teams/sales.csv", "a..b", "a b", "ä", long} {
		if _, err := source.NewContent(1, []source.File{{Name: name}}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", ".", "..", "../a", "a/../../b", "a/..", "./a", "a//b", "a/", "/a", `..\a`, `a\b`, "C:a", "a\nb", "a\x7f", "a\x00", "a\xff", long + "a",
		".envrc", ".git/config", "a/.git", "a.", "a./b", "a ", "a /b",
	} {
		if _, err := source.NewContent(1, []source.File{{Name: name}}); err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestContentSize(t *testing.T) {
	if _, err := source.NewContent(1, nil); err == nil {
		t.Error("no file is accepted")
	}
	files := make([]source.File, source.MaxFiles+1)
	for i := range files {
		files[i].Name = strings.Repeat("a", i/250+1) + strings.Repeat("b", i%250)
	}
	if _, err := source.NewContent(1, files[:source.MaxFiles]); err != nil {
		t.Error(err)
	}
	if _, err := source.NewContent(1, files); err == nil || !strings.Contains(err.Error(), "at most 1000") {
		t.Error(err)
	}
	if _, err := source.NewContent(1, []source.File{files[0], files[0]}); err == nil {
		t.Error("a file given twice is accepted")
	}
	half := make([]byte, source.MaxSize/2)
	files = []source.File{{Name: "a", Content: half}, {Name: "b", Content: half}, {Name: "c", Content: []byte("x")}}
	if _, err := source.NewContent(1, files[:2]); err != nil {
		t.Error(err)
	}
	if _, err := source.NewContent(1, files); err == nil || !strings.Contains(err.Error(), "bytes together") {
		t.Error(err)
	}
}

func TestNotesAreBounded(t *testing.T) {
	for size, ok := range map[int]bool{source.MaxNoteSize: true, source.MaxNoteSize + 1: false} {
		text := strings.Repeat("a", size)
		for _, note := range []source.Note{{Author: text}, {Author: "ann", Commit: text}, {Author: "ann", Message: text}, {Author: "ann", Forced: text}} {
			p := source.Publication{Files: []source.File{{Name: "a"}}, Note: note}
			if err := p.Check(); (err == nil) != ok {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
	}
	if err := (&source.Publication{Files: []source.File{{Name: "a"}}}).Check(); err == nil {
		t.Error("no author is accepted")
	}
}
