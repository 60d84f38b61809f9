package bounded

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRead(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name string
		r    io.Reader
		said int64
		want string
		err  string
	}{
		{"short", strings.NewReader("four"), -1, "four", ""},
		{"of the length", strings.NewReader("12345"), 5, "12345", ""},
		{"one more", strings.NewReader("123456"), -1, "", "longer than 5 bytes"},
		{"endless", endless{}, -1, "", "longer than 5 bytes"},
		{"said to be longer", iotest.ErrReader(broken), 6, "", "longer than 5 bytes"},
		{"broken off", io.MultiReader(strings.NewReader("12"), iotest.ErrReader(broken)), -1, "", "broken"},
	} {
		got, err := Body(&http.Response{Body: io.NopCloser(tt.r), ContentLength: tt.said}, 5)
		if said := errorText(err); string(got) != tt.want || said != tt.err {
			t.Errorf("%s: %q, %q; want %q, %q", tt.name, got, said, tt.want, tt.err)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
