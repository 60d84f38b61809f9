package core

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/internal/canonical"
)

// TestFoldedPart: the folded part of a route's escaped path covers the same part of the
// canonical path.
func TestFoldedPart(t *testing.T) {
	for _, c := range []struct {
		path   string
		folded int
		inner  int // encoded slashes in parameters
		want   string
	}{
		{"/files/x", 6, 0, "/files"},
		{"/files/", 7, 0, "/files"},
		{"/files/x", 0, 0, ""},
		{"/files/x", -3, 0, ""},
		{"/files/x", 99, 0, "/files/x"},
		{"/%61b%2Dc/files/x", len("/%61b%2Dc/files"), 0, "/ab-c/files"},
		{"/a%2Fb/files/x", len("/a%2Fb/files"), 1, "/a%2Fb/files"},
		{"/%C3%A4/files/%41", len("/%C3%A4/files"), 0, "/ä/files"},
	} {
		rt := Route{Path: c.path, Escaped: true, Folded: c.folded, InnerSlashes: c.inner}
		path, err := canonical.Path(rt.Path, rt.Escaped, rt.InnerSlashes)
		if err != nil {
			t.Fatal(err)
		}
		if got := path[:folded(&rt, path)]; got != c.want {
			t.Errorf("%d bytes of %s: %q, want %q", c.folded, c.path, got, c.want)
		}
	}
}
