package challenge

import (
	"slices"
	"strings"
	"testing"
)

// want is what a challenge should parse to.
type want struct {
	scheme  string
	token68 string
	params  []string // name and value in turn
}

func basic(realm string) []want { return []want{{scheme: "Basic", params: []string{"realm", realm}}} }

func check(t *testing.T, got []Challenge, wants []want) {
	t.Helper()
	if len(got) != len(wants) {
		t.Fatalf("%d challenges %q, want %d", len(got), got, len(wants))
	}
	for i, w := range wants {
		var params []string
		for _, p := range got[i].Params() {
			params = append(params, p.Name, p.Value)
		}
		if got[i].Scheme() != w.scheme || got[i].Token68() != w.token68 || !slices.Equal(params, w.params) {
			t.Errorf("challenge %d: scheme %q, token68 %q, params %q; want %q", i+1, got[i].Scheme(), got[i].Token68(), params, w)
		}
	}
}

// TestGreenbytes has the cases of the greenbytes WWW-Authenticate collection
// under their own names, with what RFC 9110 §11 makes of each. A nil want
// means malformed.
func TestGreenbytes(t *testing.T) {
	basicRealm := want{scheme: "Basic", params: []string{"realm", "basic"}}
	newauth := want{scheme: "Newauth", params: []string{"realm", "newauth"}}
	for _, c := range []struct {
		id    string
		lines []string
		want  []want
	}{
		{"simplebasic", []string{`Basic realm="foo"`}, basic("foo")},
		{"simplebasiclf", []string{"Basic\r\n realm=\"foo\""}, nil}, // obs-fold may be rejected, RFC 9112 §5.2
		{"simplebasicucase", []string{`BASIC REALM="foo"`}, []want{{scheme: "BASIC", params: []string{"REALM", "foo"}}}},
		{"simplebasictok", []string{`Basic realm=foo`}, basic("foo")},
		{"simplebasictokbs", []string{`Basic realm=\f\o\o`}, nil},
		{"simplebasicsq", []string{`Basic realm='foo'`}, basic("'foo'")},
		{"simplebasicpct", []string{`Basic realm="foo%20bar"`}, basic("foo%20bar")},
		{"simplebasiccomma", []string{`Basic , realm="foo"`}, basic("foo")},
		{"simplebasiccomma2", []string{`Basic, realm="foo"`}, nil},
		{"simplebasicnorealm", []string{`Basic`}, []want{{scheme: "Basic"}}},
		{"simplebasic2realms", []string{`Basic realm="foo", realm="bar"`}, nil},
		{"simplebasicwsrealm", []string{`Basic realm = "foo"`}, basic("foo")},
		{"simplebasicrealmsqc", []string{`Basic realm="\f\o\o"`}, basic("foo")},
		{"simplebasicrealmsqc2", []string{`Basic realm="\"foo\""`}, basic(`"foo"`)},
		{"simplebasicnewparam1", []string{`Basic realm="foo", bar="xyz",, a=b,,,c=d`},
			[]want{{scheme: "Basic", params: []string{"realm", "foo", "bar", "xyz", "a", "b", "c", "d"}}}},
		{"simplebasicnewparam2", []string{`Basic bar="xyz", realm="foo"`},
			[]want{{scheme: "Basic", params: []string{"bar", "xyz", "realm", "foo"}}}},
		{"simplebasicrealmiso88591", []string{"Basic realm=\"foo-\xe4\""}, basic("foo-\xe4")},
		{"simplebasicrealmutf8", []string{"Basic realm=\"foo-\xc3\xa4\""}, basic("foo-\u00e4")},
		{"simplebasicrealmrfc2047", []string{`Basic realm="=?ISO-8859-1?Q?foo-=E4?="`}, basic("=?ISO-8859-1?Q?foo-=E4?=")},
		{"multibasicunknown", []string{`Basic realm="basic", Newauth realm="newauth"`}, []want{basicRealm, newauth}},
		{"multibasicunknownnoparam", []string{`Basic realm="basic", Newauth`}, []want{basicRealm, {scheme: "Newauth"}}},
		{"multibasicunknown2", []string{`Newauth realm="newauth", Basic realm="basic"`}, []want{newauth, basicRealm}},
		{"multibasicunknown2np", []string{`Newauth, Basic realm="basic"`}, []want{{scheme: "Newauth"}, basicRealm}},
		{"multibasicunknown2mf", []string{`Newauth realm="newauth"`, `Basic realm="basic"`}, []want{newauth, basicRealm}},
		{"multibasicempty", []string{`,Basic realm="basic"`}, []want{basicRealm}},
		{"multibasicqs", []string{`Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple"`},
			[]want{{scheme: "Newauth", params: []string{"realm", "apps", "type", "1", "title", `Login to "apps"`}}, basic("simple")[0]}},
		{"multidisgscheme", []string{`Newauth realm="Newauth Realm", basic=foo, Basic realm="Basic Realm"`},
			[]want{{scheme: "Newauth", params: []string{"realm", "Newauth Realm", "basic", "foo"}}, basic("Basic Realm")[0]}},
		{"unknown", []string{`Newauth realm="newauth"`}, []want{newauth}},
		{"disguisedrealm", []string{`Basic foo="realm=nottherealm", realm="basic"`},
			[]want{{scheme: "Basic", params: []string{"foo", "realm=nottherealm", "realm", "basic"}}}},
		{"disguisedrealm2", []string{`Basic nottherealm="nottherealm", realm="basic"`},
			[]want{{scheme: "Basic", params: []string{"nottherealm", "nottherealm", "realm", "basic"}}}},
		{"missingquote", []string{`Basic realm="basic`}, nil},
	} {
		t.Run(c.id, func(t *testing.T) {
			got, err := Parse(c.lines...)
			if c.want == nil {
				if err == nil {
					t.Fatalf("parsed as %q, want an error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			check(t, got, c.want)
			for _, g := range got {
				if _, ok := g.Param("rEaLm"); ok != strings.Contains(strings.ToLower(g.String()), "realm=") {
					t.Errorf("%s: finding realm in another letter case gives %v (A10)", g, ok)
				}
			}
		})
	}
}
