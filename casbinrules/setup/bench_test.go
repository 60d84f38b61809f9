package setup

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkOpen is the largest file on the page: all of Open, and the reading of
// the file alone, which is what a file costs beside options.
func BenchmarkOpen(b *testing.B) {
	for name, value := range variables {
		b.Setenv(name, value)
	}
	page, err := os.ReadFile(page)
	if err != nil {
		b.Fatal(err)
	}
	var text string
	for _, block := range blocks.FindAllStringSubmatch(string(page), -1) {
		if len(block[1]) > len(text) {
			text = block[1]
		}
	}
	path := filepath.Join(folder(b), "sallyport.yaml")
	write(b, path, text)
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			s, err := Open(path, quiet())
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reading", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := read(path, []byte(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
