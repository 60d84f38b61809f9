package bundle

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/source"
)

// A signature does not make a text a bundle.
func TestSignedTextsThatAreNoBundle(t *testing.T) {
	t.Parallel()
	content, err := source.NewContent(1, []source.File{{Name: "a", Content: []byte("x")}, {Name: "b", Content: []byte("y")}})
	if err != nil {
		t.Fatal(err)
	}
	text := func(set, revision, files, rest string) string {
		return `{"set":"` + set + `","entry":{"revision":` + revision + `,"published":"2026-11-29T12:00:00Z","hash":"` + content.Hash() + `"},"files":[` + files + "]}" + rest
	}
	const a, b = `{"name":"a","size":1}`, `{"name":"b","size":1}`
	for want, signed := range map[string]string{
		"":                     text("s", "1", a+","+b, "\nxy"),
		"does not end":         text("s", "1", a+","+b, ""),
		"not readable":         "[]\n",
		"unknown field":        text("s", "1", `{"name":"a","size":1,"mode":1}`, "\nx"),
		"text after":           text("s", "1", a+","+b, "{}\nxy"),
		`set "a b"`:            text("a b", "1", a+","+b, "\nxy"),
		"the revision is 0":    text("s", "0", a+","+b, "\nxy"),
		"at most 1000":         text("s", "1", strings.Repeat(a+",", source.MaxFiles)+b, "\nxy"),
		"-1 bytes":             text("s", "1", `{"name":"a","size":-1}`, "\nxy"),
		"3 bytes, and 2":       text("s", "1", `{"name":"a","size":3}`, "\nxy"),
		"1 bytes after":        text("s", "1", a, "\nxy"),
		"not in order":         text("s", "1", b+","+a, "\nxy"),
		"../a":                 text("s", "1", `{"name":"../a","size":2}`, "\nxy"),
		"hash is not":          text("s", "1", a+","+b, "\nyx"),
		"within 1048576 bytes": text("s", "1", a+","+b, strings.Repeat(" ", maxHead)+"\nxy"),
	} {
		whole, err := sign([]byte(signed), []ed25519.PrivateKey{fuzzKey})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(whole, public(fuzzKey)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", signed, err, want)
		}
	}
}

// The signatures are counted before any is verified.
func TestSignaturesAreBounded(t *testing.T) {
	t.Parallel()
	keys := make([]ed25519.PrivateKey, maxSignatures+1)
	for i := range keys {
		keys[i] = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i)}, ed25519.SeedSize))
	}
	encode := func(keys ...ed25519.PrivateKey) []byte {
		data, err := Encode("s", source.Entry{Revision: 1}, source.Entry{}.Published, []source.File{{Name: "a"}}, keys...)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	eight := encode(keys[:maxSignatures]...)
	if _, err := Decode(eight, public(keys[maxSignatures-1])); err != nil {
		t.Errorf("eight signatures: %v", err)
	}
	line := func(data []byte) []byte { return bytes.SplitAfter(data, []byte("\n"))[1] }
	insert := func(data, line []byte) []byte {
		return bytes.Replace(data, []byte("\n"), append([]byte("\n"), line...), 1)
	}
	for what, data := range map[string][]byte{"a ninth": insert(eight, line(encode(keys[maxSignatures]))), "one twice": insert(encode(keys[0]), line(encode(keys[0])))} {
		if _, err := Decode(data, public(keys[0])); err == nil || !strings.Contains(err.Error(), "at most 8 signatures") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := Decode(eight, public(keys[0])[:5]); err == nil || !strings.Contains(err.Error(), "5 bytes") {
		t.Errorf("a short key: %v", err)
	}
}
