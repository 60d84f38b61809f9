package strictjson

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestDecodeAccepts(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       map[string]any
	}{
		{"empty", `{}`, map[string]any{}},
		{"space everywhere", " \t\r\n{ \"a\" :\n[ 1 , { } ] , \"b\" : [ ] } ", map[string]any{"a": []any{1.0, map[string]any{}}, "b": []any{}}},
		{"words", `{"t":true,"f":false,"n":null}`, map[string]any{"t": true, "f": false, "n": nil}},
		{"names in other letter case", `{"sub":"a","SUB":"b","ſub":"c"}`, map[string]any{"sub": "a", "SUB": "b", "ſub": "c"}}, // E19
		{"same name in other objects", `{"a":{"a":{}},"b":{"a":1}}`, map[string]any{"a": map[string]any{"a": map[string]any{}}, "b": map[string]any{"a": 1.0}}},
		{"escapes", `{"\u0061\n":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"}`, map[string]any{"a\n": "\"\\/\b\f\n\r\té😀é"}},
		{"UTF-8", `{"ü":"😀"}`, map[string]any{"ü": "😀"}},
		{"escaped NUL", `{"a":"\u0000"}`, map[string]any{"a": "\x00"}},
		{"replacement character itself", `{"a":"` + "\uFFFD" + `\ufffd"}`, map[string]any{"a": "\uFFFD\uFFFD"}},
		{"numbers", `{"a":0,"b":-0.5,"c":1e3,"d":1E-2,"e":1.5e+1}`, map[string]any{"a": 0.0, "b": -0.5, "c": 1000.0, "d": 0.01, "e": 15.0}},
		{"exact integers", `{"a":9007199254740991,"b":-9007199254740991}`, map[string]any{"a": float64(1<<53 - 1), "b": -float64(1<<53 - 1)}},
		{"integers float64 would change", `{"a":9007199254740993,"b":-9007199254740993}`, map[string]any{"a": json.Number("9007199254740993"), "b": json.Number("-9007199254740993")}},
		{"integers like those", `{"a":9007199254740992,"b":-9223372036854775808}`, map[string]any{"a": json.Number("9007199254740992"), "b": json.Number("-9223372036854775808")}},
		{"beyond float64", `{"a":1e400,"b":1e300}`, map[string]any{"a": json.Number("1e400"), "b": 1e300}},
		{"integers of 15 and 16 digits", `{"a":999999999999999,"b":1000000000000000}`, map[string]any{"a": 999999999999999.0, "b": 1e15}},
		{"DEL in a string", "{\"a\":\"\x7f\"}", map[string]any{"a": "\x7f"}},
		{"negative zero", `{"a":-0}`, map[string]any{"a": math.Copysign(0, -1)}},
		{"deepest", nest(MaxDepth), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Decode(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if tc.want != nil && !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %#v, want %#v", got, tc.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", ``, "not an object"},
		{"E28 null", `null`, "not an object"},
		{"E28 array", `[]`, "not an object"},
		{"E28 string", `"x"`, "not an object"},
		{"E28 number", `1`, "not an object"},
		{"byte order mark", "\uFEFF{}", "not an object"},
		{"E18 twice", `{"exp":1,"exp":2}`, "duplicate member name"},
		{"E18 twice, one escaped", `{"exp":1,"e\u0078p":2}`, "duplicate member name"},
		{"E18 twice, null first", `{"a":null,"a":1}`, "duplicate member name"},
		{"E18 twice, nested", `{"a":[{"b":1,"c":2,"b":1}]}`, "duplicate member name"},
		{"text after", `{}{}`, "text after"},
		{"NUL after", "{}\x00", "text after"},
		{"E20 not UTF-8", "{\"a\":\"\xff\"}", "not UTF-8"},
		{"E20 not UTF-8 after an escape", "{\"a\":\"\\n\xff\"}", "not UTF-8"},
		{"E20 not UTF-8 in a name", "{\"\xc0\xaf\":1}", "not UTF-8"},
		{"E20 surrogate as UTF-8", "{\"a\":\"\xed\xa0\x80\"}", "not UTF-8"},
		{"first half of a pair", `{"a":"\ud800"}`, "bad escape"},
		{"second half of a pair", `{"a":"\udc00"}`, "bad escape"},
		{"halves in wrong order", `{"a":"\udc00\ud800"}`, "bad escape"},
		{"two first halves", `{"a":"\ud800\ud800"}`, "bad escape"},
		{"unknown escape", `{"a":"\x41"}`, "bad escape"},
		{"escape with sign", `{"a":"\u+041"}`, "bad escape"},
		{"escape with underscore", `{"a":"\u0_41"}`, "bad escape"},
		{"cut escape", `{"a":"\u00`, "bad escape"},
		{"backslash at the end", `{"a":"\`, "bad escape"},
		{"open string", `{"a":"b`, "string is not closed"},
		{"open string after an escape", `{"a":"\nb`, "string is not closed"},
		{"line break in a string", "{\"a\":\"\n\"}", "control character"},
		{"line break after an escape", "{\"a\":\"\\n\n\"}", "control character"},
		{"open object", `{"a":1`, "object is not closed"},
		{"open array", `{"a":[1`, "array is not closed"},
		{"comma before the end", `{"a":1,}`, "no member name"},
		{"comma in an array before the end", `{"a":[1,]}`, "not a value"},
		{"no comma", `{"a":1 "b":2}`, "object is not closed"},
		{"no colon", `{"a" 1}`, "no colon"},
		{"no value", `{"a":}`, "not a value"},
		{"bare name", `{a:1}`, "no member name"},
		{"single quotes", `{'a':1}`, "no member name"},
		{"comment", `{/**/}`, "no member name"},
		{"leading zero", `{"a":01}`, "bad number"},
		{"leading plus", `{"a":+1}`, "not a value"},
		{"minus alone", `{"a":-}`, "bad number"},
		{"no digit after the point", `{"a":1.}`, "bad number"},
		{"no digit before the point", `{"a":.5}`, "not a value"},
		{"no exponent", `{"a":1e}`, "bad number"},
		{"hexadecimal", `{"a":0x10}`, "object is not closed"},
		{"not a number", `{"a":NaN}`, "not a value"},
		{"word in other case", `{"a":True}`, "not a value"},
		{"word goes on", `{"a":truest}`, "object is not closed"},
		{"too deep", nest(MaxDepth + 1), "nested too deeply"},
		{"much too deep", strings.Repeat(`{"a":`, 1<<16), "nested too deeply"},
		{"many open arrays", `{"a":` + strings.Repeat(`[`, 1<<16), "nested too deeply"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Decode(tc.text)
			if err == nil || got != nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, error %v, want %q in it", got, err, tc.want)
			}
		})
	}
}

// However many members an object has, none is lost, and none may come twice.
func TestManyMembers(t *testing.T) {
	for n := range 70 {
		text, want := "{", map[string]any{}
		for i := range n {
			name := "m" + strconv.Itoa(i)
			text += strconv.Quote(name) + ":" + strconv.Itoa(i) + ","
			want[name] = float64(i)
		}
		got, err := Decode(text + `"end":{"m0":null}}`)
		want["end"] = map[string]any{"m0": nil}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d members and one: %v, error %v", n, got, err)
		}
		for i := range n {
			if _, err := Decode(text + `"m` + strconv.Itoa(i) + `":0}`); err == nil || !strings.Contains(err.Error(), "duplicate member name") {
				t.Errorf("the %dth of %d members twice: error %v", i, n, err)
			}
		}
	}
}

// nest is an object with depth-1 arrays in it.
func nest(depth int) string {
	return `{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

// Side by side objects are not nesting.
func TestDepthIsNotCountedTwice(t *testing.T) {
	if _, err := Decode(`{"a":[` + strings.Repeat(`{"b":[]},`, 100) + `{}]}`); err != nil {
		t.Error(err)
	}
}

// FuzzDecode compares with encoding/json: what is decoded here must decode
// there to the same, so that strictness only ever takes away.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"sub":"alice","exp":1300819380,"roles":["a","b"]}`, `{"a":1,"a":2}`, `{"a":"\ud83d\ude00"}`,
		`{"a":-0.5e-3,"b":[true,false,null,{}]}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{"\u0061":9007199254740993,"b":-0,"c":9007199254740991}`, nest(MaxDepth),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Decode(text)
		if err != nil {
			if got != nil {
				t.Fatal("a value came with the error")
			}
			return
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var want map[string]any
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("%q: encoding/json refuses it: %v", text, err)
		}
		if !same(got, want) {
			t.Fatalf("%q: got %#v, encoding/json %#v", text, got, want)
		}
	})
}

// same compares a value with encoding/json's, whose numbers are text.
func same(got, want any) bool {
	switch want := want.(type) {
	case json.Number:
		if n, ok := got.(json.Number); ok {
			return n == want
		}
		f, err := want.Float64()
		if !strings.ContainsAny(string(want), ".eE") && strconv.FormatFloat(f, 'f', -1, 64) != string(want) {
			return false // the integer has become another one
		}
		return err == nil && got == f
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok || len(m) != len(want) {
			return false
		}
		for k, v := range want {
			if g, ok := m[k]; !ok || !same(g, v) {
				return false
			}
		}
		return true
	case []any:
		l, ok := got.([]any)
		if !ok || len(l) != len(want) {
			return false
		}
		for i := range want {
			if !same(l[i], want[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(got, want)
}

func BenchmarkDecode(b *testing.B) {
	const claims = `{"iss":"https://issuer.example","aud":"reports","sub":"alice","exp":1893456000,"iat":1893452400,"scope":"reports:read","roles":["editor","viewer"]}`
	b.ReportAllocs()
	b.SetBytes(int64(len(claims)))
	for b.Loop() {
		if _, err := Decode(claims); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodingJSON(b *testing.B) {
	claims := []byte(`{"iss":"https://issuer.example","aud":"reports","sub":"alice","exp":1893456000,"iat":1893452400,"scope":"reports:read","roles":["editor","viewer"]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(claims)))
	for b.Loop() {
		var m map[string]any
		if err := json.Unmarshal(claims, &m); err != nil {
			b.Fatal(err)
		}
	}
}

// The map and one box for each value, and nothing for names, plain strings and
// the look-out for duplicates.
func TestDecodeAllocations(t *testing.T) {
	const text = `{"iss":"https://issuer.example","sub":"alice","admin":false,"exp":1893456000}`
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Decode(text); err != nil {
			t.Fatal(err)
		}
	}); n > 5 {
		t.Errorf("%v allocations, want at most 5", n)
	}
}
