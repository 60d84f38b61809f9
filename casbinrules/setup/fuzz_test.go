package setup

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRead: whatever a file holds is read or refused, each error with a place
// that the file has; what is read and shown is read again as the same.
func FuzzRead(f *testing.F) {
	page, err := os.ReadFile(page)
	if err != nil {
		f.Fatal(err)
	}
	for _, block := range blocks.FindAllStringSubmatch(string(page), -1) {
		f.Add(block[1])
	}
	for _, text := range []string{
		minimal, "", "\x00", "a: &a [*a]\n", "? {}\n: x\n", "<<: {realm: a}\n", "realm: !!binary YQ==\n", "realm: |\n  a\n b\n",
		"realm: \"${A\n", "realm: ${\n", "%YAML 1.1\n---\nrealm: a\n...\n", "{realm: a, realm: b}", "session: {store: {}}", "\ufeffrealm: a\n",
	} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := dir + "/sallyport.yaml"
		c, doc, err := read(path, []byte(text))
		if err == nil {
			if _, err := doc.Show(c); err != nil {
				t.Errorf("read and not shown: %v", err)
			}
			return
		}
		var all Errors
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("%v (%T) is no Errors", err, err)
		}
		breaks := 2 // the line behind the last, and one for a mark at the end
		for _, b := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
			breaks += strings.Count(text, b)
		}
		for _, e := range all {
			if e.Message == "" || !utf8.ValidString(e.Error()) && utf8.ValidString(text) {
				t.Errorf("message %q", e.Error())
			}
			if e.Line < 0 || e.Column < 0 || (e.Line == 0) != (e.Column == 0) || e.Line > breaks {
				t.Errorf("place %d:%d of %q", e.Line, e.Column, text)
			}
		}
	})
}
