package adapter_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

func TestCanonicalPath(t *testing.T) {
	tests := []struct {
		name    string
		path    string
		escaped bool
		want    string // "" for refused
		why     string
	}{
		{"root", "/", false, "/", ""},
		{"plain", "/reports/7", false, "/reports/7", ""},
		{"G07 a trailing slash", "/reports/7/", false, "/reports/7", ""},
		{"letter case is left alone", "/Reports/A", false, "/Reports/A", ""},
		{"dots inside segments", "/a.b/..c/d../...", false, "/a.b/..c/d../...", ""},
		{"UTF-8", "/é/日本", false, "/é/日本", ""},
		{"a literal percent sign", "/100%", false, "/100%", ""},
		{"a percent sign before one digit", "/a%4", false, "/a%4", ""},
		{"a percent sign before other letters", "/a%zz", false, "/a%zz", ""},
		{"a decoded question mark", "/a?b", false, "/a?b", ""},
		{"G08 a semicolon stays in its segment", "/a;x=1", false, "/a;x=1", ""},

		{"empty", "", false, "", "does not begin with a slash"},
		{"no leading slash", "admin", false, "", "does not begin with a slash"},
		{"an asterisk", "*", false, "", "does not begin with a slash"},
		{"G10 absolute form", "http://evil/admin", false, "", "does not begin with a slash"},
		{"two slashes", "//", false, "", "empty segment"},
		{"G05 two slashes in front", "//admin", false, "", "empty segment"},
		{"two slashes inside", "/a//b", false, "", "empty segment"},
		{"two slashes at the end", "/a//", false, "", "empty segment"},
		{"G04 a dot segment", "/a/./b", false, "", "dot segment"},
		{"a dot segment in front", "/./a", false, "", "dot segment"},
		{"a dot segment at the end", "/a/.", false, "", "dot segment"},
		{"a dot segment before a trailing slash", "/a/./", false, "", "dot segment"},
		{"G04 a double-dot segment", "/public/../admin", false, "", "dot segment"},
		{"a double-dot segment at the end", "/a/..", false, "", "dot segment"},
		{"only dots", "/..", false, "", "dot segment"},
		{"a backslash", `/a\b`, false, "", "backslash"},
		{"a backslash at the end", `/a\`, false, "", "backslash"},
		{"G12 NUL", "/a\x00", false, "", "control character"},
		{"a line break", "/a\r\nb", false, "", "control character"},
		{"DEL", "/a\x7f", false, "", "control character"},
		{"a control of Latin-1", "/a\u0085b", false, "", "control character"},
		{"G12 invalid UTF-8", "/a\xff", false, "", "not valid UTF-8"},
		{"an overlong slash", "/a\xc0\xaf", false, "", "not valid UTF-8"},
		{"a surrogate", "/a\xed\xa0\x80", false, "", "not valid UTF-8"},
		{"a still encoded letter", "/%61dmin", false, "", "encoded twice"},
		{"a still encoded slash", "/a%2Fb", false, "", "encoded twice"},

		{"escaped, with nothing to decode", "/reports/7/", true, "/reports/7", ""},
		{"G02 an encoded letter", "/%61dmin/%53ecret", true, "/admin/Secret", ""},
		{"G13 encoded UTF-8", "/%C3%a9", true, "/é", ""},
		{"an encoded space", "/a%20b", true, "/a b", ""},
		{"an encoded percent sign", "/100%25", true, "/100%", ""},
		{"an encoded question mark", "/a%3Fb", true, "/a?b", ""},
		{"an encoded number sign", "/a%23b", true, "/a#b", ""},
		{"G02 an encoded slash", "/admin%2fsecret", true, "", "encoded slash"},
		{"an encoded slash in upper case", "/admin%2Fsecret", true, "", "encoded slash"},
		{"an encoded backslash", "/a%5Cb", true, "", "backslash"},
		{"G04 encoded dots", "/public/%2e%2e/admin", true, "", "dot segment"},
		{"one dot encoded", "/public/.%2E/admin", true, "", "dot segment"},
		{"G03 double encoding", "/%2561dmin", true, "", "encoded twice"},
		{"double encoding spelt out", "/%25%36%31dmin", true, "", "encoded twice"},
		{"a double-encoded slash", "/a%252fb", true, "", "encoded twice"},
		{"G12 a lone percent sign", "/a%", true, "", "encodes nothing"},
		{"a percent sign before one digit", "/a%4", true, "", "encodes nothing"},
		{"G12 no hex digits", "/a%zz", true, "", "encodes nothing"},
		{"one hex digit", "/a%4g", true, "", "encodes nothing"},
		{"G12 encoded NUL", "/a%00", true, "", "control character"},
		{"an encoded line break", "/a%0d%0ab", true, "", "control character"},
		{"G12 encoded invalid UTF-8", "/a%ff", true, "", "not valid UTF-8"},
		{"an encoded control of Latin-1", "/a%C2%85", true, "", "control character"},
		{"G09 a raw number sign", "/admin#f", true, "", "raw #"},
		{"G11 a raw question mark", "/admin?f", true, "", "raw ?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := adapter.CanonicalPath(core.Route{Path: tt.path, Escaped: tt.escaped})
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Fatalf("%q became %q, %v, want %q", tt.path, got, err, tt.want)
			}
			if err == nil {
				return
			}
			if !errors.Is(err, core.ErrAmbiguousPath) || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("%q refused with %v, want %q", tt.path, err, tt.why)
			}
		})
	}
}

func TestAPlainPathDoesNotAllocate(t *testing.T) {
	for _, rt := range []core.Route{{Path: "/reports/7/"}, {Path: "/é"}, {Path: "/reports/7", Escaped: true}} {
		if n := testing.AllocsPerRun(100, func() { _, _ = adapter.CanonicalPath(rt) }); n != 0 {
			t.Errorf("%+v: %v allocations", rt, n)
		}
	}
}

func FuzzCanonicalPath(f *testing.F) {
	for _, s := range []string{
		"/", "", "//", "/a/", "/a//", "/./", "/..", "/a/%2e%2e/", "/%61", "/%2561", "/a%2fb", "/a%5cb", `/a\`, "/a%00",
		"/%ff", "/%c0%af", "/é", "/%", "/a#b", "/a?b", "/a;b", "/100%25", "*", "http://h/p", "/a%c2%85", "/%25%34%31",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, path string, escaped bool) {
		got, err := adapter.CanonicalPath(core.Route{Path: path, Escaped: escaped})
		if err != nil {
			if got != "" || !errors.Is(err, core.ErrAmbiguousPath) {
				t.Fatalf("%q: %q, %v", path, got, err)
			}
			return
		}
		if !utf8.ValidString(got) || strings.IndexFunc(got, unicode.IsControl) >= 0 || strings.Contains(got, `\`) {
			t.Errorf("%q became %q", path, got)
		}
		segments, rooted := strings.CutPrefix(got, "/")
		if !rooted {
			t.Fatalf("%q became %q", path, got)
		}
		for segment := range strings.SplitSeq(segments, "/") {
			if got != "/" && segment == "" || segment == "." || segment == ".." {
				t.Errorf("%q became %q with segment %q", path, got, segment)
			}
		}
		if again, err := adapter.CanonicalPath(core.Route{Path: got}); err != nil || again != got {
			t.Errorf("%q became %q and then %q, %v", path, got, again, err)
		}
		// A trailing slash and a needless encoding change nothing.
		if got != "/" {
			if slashed, err := adapter.CanonicalPath(core.Route{Path: got + "/"}); err != nil || slashed != got {
				t.Errorf("%q with a trailing slash became %q, %v", got, slashed, err)
			}
		}
		if encoded, err := adapter.CanonicalPath(core.Route{Path: encodeAll(got), Escaped: true}); err != nil || encoded != got {
			t.Errorf("%q with everything encoded became %q, %v", got, encoded, err)
		}
	})
}

// encodeAll is path with every byte but the slashes percent-encoded.
func encodeAll(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		if path[i] == '/' {
			b.WriteByte('/')
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[path[i]>>4])
		b.WriteByte(hex[path[i]&15])
	}
	return b.String()
}

// A parameter is decoded once whether the router has done so or not.
func TestParam(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "7": "7", "a b+c": "a b+c", "%41": "A", "a%2Fb": "a/b", "a%20b": "a b",
		"100%": "100%", "50%zz": "50%zz", "%c3%a4": "ä", // decoded ones stay
	} {
		if got := adapter.Param(value); got != want {
			t.Errorf("%q became %q, want %q", value, got, want)
		}
	}
}

// Every slash of a parameter counts once, as it was sent or decoded.
func TestInnerSlashes(t *testing.T) {
	for value, want := range map[string]int{"": 0, "a": 0, "a%2Fb": 1, "a%2fb/c": 2, "/": 1, "%252F": 0} {
		if got := adapter.InnerSlashes(value); got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
	}
}
