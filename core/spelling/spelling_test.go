package spelling_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/spelling"
)

func TestDistance(t *testing.T) {
	long := strings.Repeat("a", spelling.MaxLength)
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"editor", "editr", 1}, {"Editor", "editor", 1}, {"kitten", "sitting", 3},
		{"amdin", "admin", 1}, {"ab", "ba", 1}, {"abcd", "badc", 2}, {"ca", "abc", 3},
		{"größe", "grösse", 2}, {"größe", "große", 1},
		{long, long, 0}, {long, long[1:], 1}, {long + "a", long + "a", spelling.MaxLength + 1}, {"a", long + "a", spelling.MaxLength + 1},
	} {
		if got := spelling.Distance(c.a, c.b); got != c.want {
			t.Errorf("%.10q to %.10q: got %d, want %d", c.a, c.b, got, c.want)
		}
		if got := spelling.Distance(c.b, c.a); got != c.want {
			t.Errorf("%.10q to %.10q: got %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func ExampleDistance() {
	for _, role := range []string{"editor", "viewer"} {
		fmt.Println(role, spelling.Distance("edtior", role))
	}
	// Output:
	// editor 1
	// viewer 5
}
