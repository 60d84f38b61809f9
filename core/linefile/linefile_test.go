package linefile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/linefile"
)

func TestEach(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"line breaks", "a\nb\r\nc", "1a 2b 3c"},
		{"spaces are kept", " a \n", "1 a "},
		{"one return belongs to the break", "a\r\r\n", "1a\r"},
		{"blank and comments", "\n \t\r\n# a\n\t # b\nc # d\n", "5c # d"},
		{"blank but for a return", "a\n\r\r\n\r \nb", "1a 4b"},
		{"byte order mark", "\uFEFFa\n", "1a"},
		{"a comment in any language", "# 👩\u200d💻 \u200fעברית\tمي\u200cخواهم \r\r\na", "2a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			r := linefile.New("f")
			r.Each(c.text, func(n int, line string) { got = append(got, fmt.Sprint(n, line)) })
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%q, want %q", s, c.want)
			}
			if marked := c.name == "byte order mark"; (r.Err() != nil) != marked {
				t.Error(r.Err())
			}
		})
	}
}

// TestCommentsThatHideALine: what an editor shows as an entry is not part of a comment.
func TestCommentsThatHideALine(t *testing.T) {
	for _, comment := range []string{"# a\rb", "\t# a\rb\r", "# a\vb", "# a\fb", "# a\u0085b", "# a\u2028b", "# a\u2029b", "# \u202eb", "# \u2067b"} {
		r := linefile.New("f")
		r.Each("x\n"+comment+"\ny\n", func(int, string) {})
		if err := r.Err(); err == nil || !strings.HasPrefix(err.Error(), "f:2: the comment contains the control character U+") {
			t.Errorf("%+q: %v", comment, err)
		}
	}
}

func TestFindings(t *testing.T) {
	cause := errors.New("cause")
	r := linefile.New("f")
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	calls := 0
	r.Each(strings.Repeat("x\n", 1000), func(n int, _ string) {
		calls++
		r.Report(n, "bad: %w", cause)
	})
	lines := strings.Split(r.Err().Error(), "\n")
	if calls != linefile.MaxFindings || len(lines) != linefile.MaxFindings+1 {
		t.Errorf("%d calls, %d findings", calls, len(lines))
	}
	if lines[1] != "f:2: bad: cause" || lines[100] != "f:101: not read: there are already 100 findings" {
		t.Errorf("%q, %q", lines[1], lines[100])
	}
	if !errors.Is(r.Err(), cause) {
		t.Error("the cause is lost")
	}
}
