package bundle

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

var fuzzKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// FuzzDecode: an unsigned text is never accepted as a bundle; a signed one is read or
// refused, and what is read can be written again.
func FuzzDecode(f *testing.F) {
	data, err := Encode("default", source.Entry{Revision: 7, Note: source.Note{Author: "ann"}}, time.Time{}, []source.File{{Name: "a.csv", Content: []byte("p, x\n")}, {Name: "b/c.conf"}}, fuzzKey)
	if err != nil {
		f.Fatal(err)
	}
	_, signed, _ := bytes.Cut(data, []byte("\n\n"))
	f.Add(data, signed)
	f.Add(data, []byte(`{"set":"a","entry":{"revision":1},"expires":"2026-11-29T12:00:00.5+23:59","files":[{"name":"x","size":1}]}`+"\nx"))
	f.Add([]byte(magic+"\n\n"), []byte(`{"set":"a","entry":{"revision":1},"files":[{"name":"x","size":-1}]}`+"\n"))
	f.Add([]byte(magic+"\n"+signature+"0123456789abcdef AA==\n\n"), []byte(`{"set":"a","entry":{"revision":1},"files":[{"name":"x","size":9223372036854775807}]}`+"\nx"))
	f.Fuzz(func(t *testing.T, whole, signed []byte) {
		if _, err := Decode(whole, public(fuzzKey)); err == nil && !bytes.Equal(whole, data) {
			t.Fatalf("accepted as a bundle: %q", whole)
		}
		whole, err := sign(signed, []ed25519.PrivateKey{fuzzKey})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Decode(whole, public(fuzzKey))
		if err != nil {
			return
		}
		again, err := Encode(b.Set, b.Entry, b.Expires, b.Content.Files, fuzzKey)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Decode(again, public(fuzzKey))
		if err != nil || c.Content.Hash() != b.Content.Hash() || c.Content.Revision != b.Content.Revision || !c.Expires.Equal(b.Expires.Truncate(time.Second)) {
			t.Fatalf("written and read again: %v", err)
		}
		if err := verifyContent(b.Content, b.Set, []ed25519.PublicKey{public(fuzzKey)}); err != nil {
			t.Fatalf("with its own proof: %v", err)
		}
	})
}
