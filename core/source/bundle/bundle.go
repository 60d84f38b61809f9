// Package bundle distributes a policy, with its users and keys, in one signed file
// that any web server or bucket can serve.
//
// A bundle has a revision, its entry of the history and the files. It is signed
// with Ed25519, and readers verify the signature before they use anything in it. So
// the server, its caches and the network only have to be trusted to serve the
// newest bundle. The worst they can do is to keep serving an older one: an instance
// that has seen a newer one refuses it, and every instance refuses it once it has
// expired, if it was published with an expiry ([File.Expiring]).
//
// [New] reads a bundle over HTTP, as a [source.Source] for instances. [NewFile]
// opens the file itself, as a [source.Store] for publishers, and [NewHandler]
// serves it to instances that wait for the next one.
//
// # Format
//
//	sallyport bundle 1
//	signature KEY SIGNATURE
//
//	{"set":"default","entry":{"revision":7,…},"expires":"2026-…","files":[{"name":"model.conf","size":301},…]}
//	…the bytes of the files, one after the other…
//
// There are up to eight lines with signatures, by different keys, so that keys can
// be rotated: one by a key that a reader trusts is enough. KEY is a [KeyID].
// SIGNATURE is in base64 and of the scheme Ed25519ph (RFC 8032 §5.1) with the
// context "sallyport bundle 1", over everything after the empty line. Lines end
// with a line feed. Unknown fields in the JSON are an error.
package bundle

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// Bundle is a verified bundle. It is immutable.
type Bundle struct {
	// Set is the name of the set of files.
	Set   string
	Entry source.Entry
	// Expires is the time after which a [Source] no longer accepts it as the newest
	// one; zero for never. [Decode] does not check it.
	Expires time.Time
	// Content is the content of Entry.Revision. Its Proof is what [Decode] needs,
	// in front of the files, to verify them again.
	Content *source.Content
}

// ErrExpired means that a server serves an expired bundle: nobody has published
// since, or the server withholds newer ones.
var ErrExpired = errors.New("the bundle has expired")

// ErrUntrusted means that no trusted key has signed a bundle, or that it was
// changed since.
var ErrUntrusted = errors.New("no trusted key has signed this bundle as it is")

const (
	magic     = "sallyport bundle 1"
	signature = "signature "
	// maxSignatures is the maximum number of keys that sign one bundle.
	maxSignatures = 8
	// maxLine is more than the length of a signature line.
	maxLine = 256
	// maxHead is the maximum length of the JSON: more than a thousand files with long
	// names and a long note need.
	maxHead = 1 << 20
	// maxSize is the maximum size of a bundle.
	maxSize = source.MaxSize + maxHead + (maxSignatures+2)*maxLine
)

// head is the JSON of a bundle.
type head struct {
	Set     string       `json:"set"`
	Entry   source.Entry `json:"entry"`
	Expires time.Time    `json:"expires,omitzero"`
	Files   []fileHead   `json:"files"`
}

type fileHead struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

// algorithm is the algorithm of signatures. Its context makes them invalid for any other
// use of the same key.
var algorithm = &ed25519.Options{Hash: crypto.SHA512, Context: magic}

// Encode returns a bundle of files, signed with each of the keys. It expires at the
// given time, in whole seconds, or never if that is zero. The hash in the entry is
// replaced with that of the files.
func Encode(set string, e source.Entry, expires time.Time, files []source.File, keys ...ed25519.PrivateKey) ([]byte, error) {
	if err := checkSet(set); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if e.Revision == 0 {
		return nil, errors.New("bundle: the revision must be above 0")
	}
	if len(keys) == 0 || len(keys) > maxSignatures {
		return nil, fmt.Errorf("bundle: there are %d keys to sign with, and there must be from 1 to %d", len(keys), maxSignatures)
	}
	c, err := source.NewContent(e.Revision, files)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	e.Hash = c.Hash()
	h := head{Set: set, Entry: e, Expires: expires.Truncate(time.Second)}
	for _, f := range c.Files {
		h.Files = append(h.Files, fileHead{f.Name, len(f.Content)})
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if len(text) >= maxHead {
		return nil, fmt.Errorf("bundle: the names of the files and the note have more than %d bytes together", maxHead)
	}
	var signed bytes.Buffer
	signed.Write(append(text, '\n'))
	for _, f := range c.Files {
		signed.Write(f.Content)
	}
	return sign(signed.Bytes(), keys)
}

// sign prepends the signatures to what is signed.
func sign(signed []byte, keys []ed25519.PrivateKey) ([]byte, error) {
	digest := sha512.Sum512(signed)
	var b bytes.Buffer
	b.WriteString(magic + "\n")
	ids := map[string]bool{}
	for i, key := range keys {
		if len(key) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("bundle: key %d to sign with has %d bytes, and must have %d", i+1, len(key), ed25519.PrivateKeySize)
		}
		id := KeyID(public(key))
		if ids[id] {
			return nil, fmt.Errorf("bundle: key %s is given twice", id)
		}
		ids[id] = true
		s, err := key.Sign(nil, digest[:], algorithm)
		if err != nil {
			return nil, fmt.Errorf("bundle: sign with key %s: %w", id, err)
		}
		b.WriteString(signature + id + " " + base64.StdEncoding.EncodeToString(s) + "\n")
	}
	b.WriteByte('\n')
	b.Write(signed)
	return b.Bytes(), nil
}

// Decode verifies a bundle with the trusted keys, and parses it. The error is
// [ErrUntrusted] if none of them has signed it. The content shares the memory of
// data.
func Decode(data []byte, trusted ...ed25519.PublicKey) (*Bundle, error) {
	signed, err := verify(data, trusted)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	b, err := parse(signed)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	size := 0
	for _, f := range b.Content.Files {
		size += len(f.Content)
	}
	b.Content.Proof = slices.Clone(data[:len(data)-size])
	return b, nil
}

// verify returns the signed part. Before that it parses only the signature lines.
func verify(data []byte, trusted []ed25519.PublicKey) (signed []byte, err error) {
	rest, found := bytes.CutPrefix(data, []byte(magic+"\n"))
	if !found {
		return nil, errors.New("this is not a bundle: it does not begin with the line \"" + magic + "\"")
	}
	signatures := map[string][]byte{}
	for {
		line, _, found := bytes.Cut(rest[:min(len(rest), maxLine)], []byte("\n"))
		if !found {
			return nil, errors.New("the signatures do not end with an empty line")
		}
		rest = rest[len(line)+1:]
		if len(line) == 0 {
			break
		}
		id, s, err := parseSignature(string(line))
		if err != nil {
			return nil, err
		}
		if len(signatures) == maxSignatures || signatures[id] != nil {
			return nil, fmt.Errorf("there must be at most %d signatures, by different keys", maxSignatures)
		}
		signatures[id] = s
	}
	digest := sha512.Sum512(rest)
	for _, key := range trusted {
		if len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("a trusted key has %d bytes, and must have %d", len(key), ed25519.PublicKeySize)
		}
		if ed25519.VerifyWithOptions(key, digest[:], signatures[KeyID(key)], algorithm) == nil {
			return rest, nil
		}
	}
	return nil, ErrUntrusted
}

// parseSignature parses a signature line.
func parseSignature(line string) (id string, s []byte, err error) {
	text, is := strings.CutPrefix(line, signature)
	id, encoded, two := strings.Cut(text, " ")
	if !is || !two || len(id) != keyIDSize {
		return "", nil, errors.New("a line before the empty one is not a signature: want \"" + signature + "KEY BASE64\"")
	}
	s, err = base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(s) != ed25519.SignatureSize {
		return "", nil, fmt.Errorf("a signature is not %d bytes in base64", ed25519.SignatureSize)
	}
	return id, s, nil
}

// parse parses the signed part.
func parse(signed []byte) (*Bundle, error) {
	text, rest, found := bytes.Cut(signed, []byte("\n"))
	if !found || len(text) >= maxHead {
		return nil, fmt.Errorf("the line of JSON does not end within %d bytes", maxHead)
	}
	var h head
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return nil, fmt.Errorf("the line of JSON is not readable; was it written by a newer version? %w", err)
	}
	if d.More() {
		return nil, errors.New("there is text after the JSON")
	}
	if err := checkSet(h.Set); err != nil {
		return nil, err
	}
	if h.Entry.Revision == 0 {
		return nil, errors.New("the revision is 0")
	}
	if len(h.Files) > source.MaxFiles {
		return nil, fmt.Errorf("there are %d files, and at most %d are allowed", len(h.Files), source.MaxFiles)
	}
	files := make([]source.File, len(h.Files))
	for i, f := range h.Files {
		if f.Size < 0 || f.Size > len(rest) {
			return nil, fmt.Errorf("file %q has %d bytes, and %d are left", f.Name, f.Size, len(rest))
		}
		files[i] = source.File{Name: f.Name, Content: rest[:f.Size:f.Size]}
		rest = rest[f.Size:]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("there are %d bytes after the last file", len(rest))
	}
	// A proof is verified together with the sorted files.
	if !slices.IsSortedFunc(files, func(a, b source.File) int { return strings.Compare(a.Name, b.Name) }) {
		return nil, errors.New("the files are not in order of their names")
	}
	c, err := source.NewContent(h.Entry.Revision, files)
	if err != nil {
		return nil, err
	}
	if c.Hash() != h.Entry.Hash {
		return nil, errors.New("the hash is not that of the files")
	}
	return &Bundle{h.Set, h.Entry, h.Expires, c}, nil
}

// checkSet returns an error for an invalid name of a set.
func checkSet(set string) error {
	bad := func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd }
	if set == "" || len(set) > 100 || strings.ContainsFunc(set, bad) {
		return fmt.Errorf("set %q: want up to 100 bytes without spaces", set)
	}
	return nil
}

// verifyContent verifies content that was stored with its proof.
func verifyContent(c *source.Content, set string, trusted []ed25519.PublicKey) error {
	data := slices.Clone(c.Proof)
	for _, f := range c.Files {
		data = append(data, f.Content...)
	}
	b, err := Decode(data, trusted...)
	switch {
	case err != nil:
		return err
	case b.Set != set:
		return otherSet(b.Set, set)
	case b.Content.Revision != c.Revision || b.Content.Hash() != c.Hash():
		return errors.New("bundle: the proof is for other content")
	}
	return nil
}

func otherSet(got, want string) error {
	return fmt.Errorf("bundle: it belongs to set %q, not to %q", got, want)
}
