package lint

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// ready is the text of a ready model.
func ready(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "models", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pick(rnd *rand.Rand, from []string) string { return from[rnd.IntN(len(from))] }
