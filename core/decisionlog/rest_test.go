package decisionlog

import (
	"bufio"
	"errors"
	"io"
	"testing"
)

// growing is a file that others append to: after each piece comes EOF, for the moment.
type growing struct {
	pieces []string
	end    bool
}

func (g *growing) Read(p []byte) (int, error) {
	if g.end = !g.end; !g.end || len(g.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, g.pieces[0])
	g.pieces = g.pieces[1:]
	return n, nil
}

// TestRest: a line that is still being written is read to its end, and one that stays
// incomplete is cut off.
func TestRest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pieces []string
		want   string
		whole  bool
	}{
		{[]string{"hal", "f a li", "ne\nnext"}, "half a line\n", true},
		{[]string{"half", " a"}, "half a", false},
	} {
		r := bufio.NewReader(&growing{pieces: tt.pieces})
		line, err := r.ReadBytes('\n')
		if !errors.Is(err, io.EOF) {
			t.Fatalf("the first piece: %q, %v", line, err)
		}
		line, err = rest(r, line)
		if string(line) != tt.want || tt.whole != (err == nil) || !tt.whole && !errors.Is(err, io.EOF) {
			t.Errorf("%q: %q, %v", tt.pieces, line, err)
		}
	}
}
