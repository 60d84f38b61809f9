package forwardauth

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

func TestAnswersSurviveTheWay(t *testing.T) {
	var p packer
	for _, resp := range []core.Response{
		{Status: 401, Fields: []core.Field{{Name: "WWW-Authenticate", Value: `A realm="x"`}, {Name: "WWW-Authenticate", Value: "B"}}},
		{Status: 503, Fields: []core.Field{{Name: "Retry-After", Value: "5"}}, Body: []byte("a\n\nb\x00\xff")},
		{Status: 204, Fields: []core.Field{{Name: "X", Value: ""}}},
		{Status: 404}, {Status: 300}, {Status: 599},
	} {
		for range 2 { // the second time with a kept compressor
			got, err := unpack(p.pack(resp))
			if err != nil || !reflect.DeepEqual(got, resp) {
				t.Errorf("%+v became %+v, %v", resp, got, err)
			}
		}
	}
	split := core.Response{Status: 401, Fields: []core.Field{{Name: "X", Value: "a\nY: b"}, {Name: "Z Z", Value: "c"}, {Name: "D", Value: "a\x7fb"}, {Name: "K", Value: "d\te"}}}
	if got, err := unpack(p.pack(split)); err != nil || len(got.Fields) != 1 || got.Fields[0].Value != "d\te" {
		t.Errorf("fields that are none: %+v, %v", got, err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	var p packer
	for _, status := range []int{0, 99, 200, 201, 299, 600, -401} {
		if got, err := unpack(p.pack(core.Response{Status: status})); err == nil {
			t.Errorf("status %d became %+v", status, got)
		}
	}
	if got, err := unpack(p.pack(core.Response{Status: 401, Body: []byte(strings.Repeat("a", maxAnswer))})); err == nil {
		t.Errorf("a bomb became %d bytes", len(got.Body))
	}
	packed := p.pack(core.Response{Status: 401, Body: []byte(strings.Repeat("abc", 100))})
	for _, value := range []string{packed + "!", packed[:len(packed)-4]} {
		if got, err := unpack(value); err == nil {
			t.Errorf("%q became %+v", value, got)
		}
	}
	for _, text := range []string{"401\nA: b", "\n\n", "401 \n\n", "401\nA:b\n\n", "401\nA b: c\n\n", "401\nA: b\rc\n\n"} {
		if got, err := unpack(p.compress([]byte(text))); err == nil {
			t.Errorf("%q became %+v", text, got)
		}
	}
	if _, err := unpack(p.compress([]byte("599\n\n" + strings.Repeat("a", maxAnswer-5)))); err != nil {
		t.Errorf("the longest answer: %v", err)
	}
}

// FuzzUnpack: nothing that is unpacked is a success or more than one message,
// and what is unpacked packs and unpacks to the same.
func FuzzUnpack(f *testing.F) {
	var p packer
	for _, resp := range []core.Response{
		{Status: 401, Fields: []core.Field{{Name: "WWW-Authenticate", Value: `A realm="x"`}}, Body: []byte("no")},
		{Status: 200}, {Status: 204}, {Status: 503, Body: []byte("\n\n")},
	} {
		f.Add(p.pack(resp))
	}
	f.Add("")
	f.Add("!")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, value string) {
		resp, err := unpack(value)
		if err != nil {
			if !reflect.DeepEqual(resp, core.Response{}) && resp.Status != 0 {
				t.Fatalf("%+v beside %v", resp, err)
			}
			return
		}
		if resp.Status != 204 && (resp.Status < 300 || resp.Status > 599) {
			t.Fatalf("status %d", resp.Status)
		}
		for _, field := range resp.Fields {
			if !challenge.IsToken(field.Name) || strings.ContainsAny(field.Value, "\r\n\x00") {
				t.Fatalf("field %+v", field)
			}
		}
		again, err := unpack(p.pack(resp))
		if err != nil && len(resp.Body) < maxAnswer/2 || err == nil && !reflect.DeepEqual(again, resp) {
			t.Fatalf("%+v became %+v, %v", resp, again, err)
		}
	})
}

// FuzzOriginalTarget: a target that is judged at all is judged as the path that
// RFC 3986 reads in it.
func FuzzOriginalTarget(f *testing.F) {
	for _, seed := range []string{
		"/", "/a/b?c=d", "//a", "/a/../b", "/%2e%2e/b", "/a%2fb", "/a;x=1/b", "/%73ecret", "/%2573ecret", "*", "http://a/b",
		"/a#b", "/a?b#c", "/a b", "/a\\b", "/ä", "/%c3%a4", "/%ff", "/a/", "/.../a", "/a%", "", "?", "/?a;b=%zz",
	} {
		f.Add(seed)
	}
	f.Fuzz(judgedAsRead)
}
