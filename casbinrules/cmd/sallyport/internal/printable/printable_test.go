package printable

import "testing"

func TestText(t *testing.T) {
	for _, c := range []struct{ in, kept, want string }{
		{"a b\té\n", "", "a b�é�"}, {"a\tb\n", "\t", "a\tb�"}, {"a\n", "\n", "a\n"},
		{"\x1b[31mred\x1b[0m\r", "\n", "�[31mred�[0m�"}, {"gnp.\u202egpj\u200b", "", "gnp.�gpj�"}, {"\xff", "", "�"},
	} {
		if got := Text(c.in, c.kept); got != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.in, c.kept, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	if got := Count(0, "line") + ", " + Count(1, "line") + ", " + Count(uint64(2), "line"); got != "0 lines, 1 line, 2 lines" {
		t.Errorf("got %q", got)
	}
}
