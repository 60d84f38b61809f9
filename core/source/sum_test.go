package source

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// lines returns n different lines.
func lines(count int) []byte {
	var b bytes.Buffer
	for i := range count {
		fmt.Fprintf(&b, "p, user%d, /things/%d/:part, GET\n", i, i)
	}
	return b.Bytes()
}

// TestSums: stored hashes have these values, which no release may change.
func TestSums(t *testing.T) {
	t.Parallel()
	twice := func(text string) Sum {
		inner := sha256.Sum256([]byte(text))
		return sha256.Sum256(inner[:])
	}
	short := strings.Repeat("g, ann, editor\n", leastPiece/15)
	for _, text := range []string{"p, ann, /, GET\n", "a", short} {
		if got := SumFile([]byte(text), nil); got != twice(text) {
			t.Errorf("the sum of %.20q is %x", text, got)
		}
	}
	if got := SumFile(nil, nil); got != sha256.Sum256(nil) {
		t.Errorf("the sum of an empty file is %x", got)
	}
	const want = "20db9a711f7e4b9d6b1d38bbd0c8968e4759969c7b95bb881dd789e87d412f78"
	if got := HashFiles([]File{{"roles.csv", []byte("g, ann, editor\n")}, {"policy.csv", lines(10_000)}}); got != want {
		t.Errorf("the hash of a long file and a short one is %s, want %s", got, want)
	}
}

// TestFormatOfSums: a sum is as the comment of SumFile says, computed independently, for
// any lines and line ends.
func TestFormatOfSums(t *testing.T) {
	t.Parallel()
	ends := func(last []byte) bool {
		mix := new(big.Int)
		for i := 0; i < 64; i += 8 {
			n := new(big.Int)
			for j := 7; j >= 0; j-- {
				n.Or(n.Lsh(n, 8), big.NewInt(int64(last[i+j])))
			}
			mix.Mul(mix.Xor(mix, n), new(big.Int).SetUint64(0x9e3779b97f4a7c15))
			mix.Mod(mix, new(big.Int).Lsh(big.NewInt(1), 64))
			mix.Xor(mix, new(big.Int).Rsh(mix, 32))
		}
		return mix.BitLen() <= 60
	}
	sum := func(text []byte) Sum {
		var hashes []byte
		for len(text) > 0 {
			end := 4096
			for end++; end <= min(len(text), 65536) && (text[end-1] != '\n' || !ends(text[end-64:end])); {
				end++
			}
			end = min(end, len(text), 65536)
			hash := sha256.Sum256(text[:end])
			hashes, text = append(hashes, hash[:]...), text[end:]
		}
		return sha256.Sum256(hashes)
	}
	all := lines(3000)
	texts := map[string][]byte{
		"no line feed at the end": all[:len(all)-1], "CRLF": bytes.ReplaceAll(all, []byte("\n"), []byte("\r\n")),
		"CR": bytes.ReplaceAll(all, []byte("\n"), []byte("\r")), "empty lines": bytes.Repeat([]byte("\n"), 200_000),
		"not UTF-8": bytes.ReplaceAll(all, []byte("user"), []byte{0xff, 0xfe, 0}),
	}
	for _, size := range []int{0, 1, 63, 64, 4095, 4096, 4097, 65535, 65536, 65537, 131072, len(all)} {
		texts[fmt.Sprint("lines of ", size)] = all[:min(size, len(all))]
		texts[fmt.Sprint("one line of ", size)] = bytes.Repeat([]byte("p"), size)
		texts[fmt.Sprint("one line and its end of ", size)] = append(bytes.Repeat([]byte("p"), size), '\n')
		texts[fmt.Sprint("long lines of ", size)] = bytes.Repeat(append(bytes.Repeat([]byte("p"), size), '\n'), 3)
	}
	for what, text := range texts {
		if got, want := SumFile(text, nil), sum(text); got != want {
			t.Errorf("%s: %x, want %x", what, got, want)
		}
	}
}

// TestPieces: the pieces of a text make up the whole text, none is long, and a text of
// lines has many.
func TestPieces(t *testing.T) {
	t.Parallel()
	for what, text := range map[string][]byte{
		"lines": lines(20_000), "one line": bytes.Repeat([]byte("p"), 300_000), "empty lines": bytes.Repeat([]byte("\n"), 300_000),
		"the same line": bytes.Repeat([]byte("p, ann, /, GET\n"), 20_000), "zeros": make([]byte, 300_000),
	} {
		p := piecesOf(nil, text, nil)
		at := 0
		for i := range p {
			size := p[i].end - at
			if size < 1 || size > mostPiece || size < leastPiece && i < len(p)-1 || p[i].hash != sha256.Sum256(text[at:p[i].end]) {
				t.Fatalf("%s: piece %d from %d to %d has another hash or size", what, i, at, p[i].end)
			}
			at = p[i].end
		}
		if at != len(text) {
			t.Errorf("%s: the pieces end at %d of %d", what, at, len(text))
		}
		if most := len(text)/(2*leastPiece) + 1; what == "lines" && len(p) < most {
			t.Errorf("%s: %d pieces, want at least %d", what, len(p), most)
		}
	}
}

// TestPiecesOfEdits: after any edit the pieces are those of the new text alone, and if
// lines differ only those around the edit are computed.
func TestPiecesOfEdits(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 0))
	texts := map[string][]byte{
		"none": nil, "short": []byte("p, ann, /, GET\n"), "lines": lines(5000), "one line": bytes.Repeat([]byte("p"), 200_000),
		"the same line": bytes.Repeat([]byte("p, ann, /, GET\n"), 10_000), "empty lines": bytes.Repeat([]byte("\n"), 200_000),
	}
	for what, first := range texts {
		text, p := first, piecesOf(nil, first, nil)
		for range 300 {
			c := randomChange(rnd, p, len(text))
			before := slices.Clone(p)
			next := slices.Concat(text[:c.At], c.Add, text[c.At+c.Cut:])
			got := p.changed(&c, next, nil)
			if want := piecesOf(nil, next, nil); !slices.Equal(got, want) {
				t.Fatalf("%s: after an edit at %d of %d, which cuts %d and adds %d, the pieces differ", what, c.At, len(text), c.Cut, len(c.Add))
			}
			if !slices.Equal(p, before) {
				t.Fatalf("%s: the previous pieces have changed", what)
			}
			text, p = next, got
			if len(text) < len(first)/2 {
				text, p = first, piecesOf(nil, first, nil)
			}
		}
	}
}

// TestFileSumsOfEdits: the sum of a file's next content is its [SumFile], and only pieces
// around an edit are hashed, also after a revert.
func TestFileSumsOfEdits(t *testing.T) {
	t.Parallel()
	text := lines(5000)
	edited := bytes.Replace(text, []byte("user2500,"), []byte("somebody,"), 1)
	longer := slices.Concat(text[:len(text)/2], []byte("\n# more\n"), text[len(text)/2:])
	all := 0
	first := (*FileSum)(nil).Next(text, func() { all++ })
	sum := first
	for _, next := range [][]byte{edited, text, longer, text, edited, nil, text[:100], text} {
		hashed := 0
		before := len(sum.content)
		if sum = sum.Next(next, func() { hashed++ }); sum.Sum != SumFile(next, nil) {
			t.Errorf("the sum of %d bytes after %d is %x", len(next), before, sum.Sum)
		}
		if before >= len(text) && len(next) >= len(text) && hashed > 4 {
			t.Errorf("%d of %d pieces are hashed for an edit", hashed, all)
		}
	}
	if first.Sum != SumFile(text, nil) || all < 20 {
		t.Errorf("the first sum is %x, of %d pieces", first.Sum, all)
	}
}

// TestPiecesOfLongEdits: an edit may first repeat the replaced text.
func TestPiecesOfLongEdits(t *testing.T) {
	t.Parallel()
	text := lines(5000)
	p := piecesOf(nil, text, nil)
	for _, from := range []int{0, p[2].end} {
		c := change{At: from, Cut: p[7].end - from, Add: bytes.Clone(text[from:p[7].end])}
		c.Add[len(c.Add)-2] = 'X'
		next := slices.Concat(text[:c.At], c.Add, text[c.At+c.Cut:])
		if got := p.changed(&c, next, nil); !slices.Equal(got, piecesOf(nil, next, nil)) {
			t.Errorf("of an edit from %d on the pieces differ", from)
		}
	}
}

// randomChange returns a change of a text of n bytes, often at the border of a piece.
func randomChange(rnd *rand.Rand, p pieces, size int) (c change) {
	place := func() int {
		switch rnd.IntN(4) {
		case 0:
			return size
		case 1:
			if len(p) > 0 {
				return min(size, max(0, p[rnd.IntN(len(p))].end+rnd.IntN(3)-1))
			}
		}
		return rnd.IntN(size + 1)
	}
	a, b := place(), place()
	c.At = min(a, b)
	switch rnd.IntN(3) {
	case 0:
		c.Cut = min(rnd.IntN(100), size-c.At)
	case 1:
		if rnd.IntN(4) == 0 {
			c.Cut = max(a, b) - c.At
		}
	}
	switch add := lines(200); rnd.IntN(4) {
	case 0:
	case 1:
		c.Add = add
	default:
		from := rnd.IntN(len(add) - 100)
		c.Add = add[from : from+rnd.IntN(100)]
	}
	return c
}

// TestEditsHashLittle: after a line of a large file was added, removed or changed, a
// hundredth of the file is hashed.
func TestEditsHashLittle(t *testing.T) {
	t.Parallel()
	text := lines(100_000)
	p := piecesOf(nil, text, nil)
	for _, at := range []int{0, len(text) / 2, len(text)} {
		for what, c := range map[string]change{
			"has come": {At: at, Add: []byte("p, ann, /, GET\n")}, "has gone": {At: max(0, at-34), Cut: 34}, "has changed": {At: max(0, at-34), Cut: 34, Add: []byte("p, ann, /, GET\n")},
		} {
			next := slices.Concat(text[:c.At], c.Add, text[c.At+c.Cut:])
			known := map[[sha256.Size]byte]bool{}
			for i := range p {
				known[p[i].hash] = true
			}
			anew := 0
			start := 0
			for _, made := range p.changed(&c, next, nil) {
				if !known[made.hash] {
					anew += made.end - start
				}
				start = made.end
			}
			if anew == 0 || anew > len(text)/100 {
				t.Errorf("a line at %d %s: %d of %d bytes are hashed", at, what, anew, len(text))
			}
		}
	}
}

// BenchmarkHash hashes a file of 3.7 MB, and one with a new line.
func BenchmarkHash(b *testing.B) {
	text := lines(100_000)
	b.Run("all", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			SumFile(text, nil)
		}
	})
	b.Run("edit", func(b *testing.B) {
		p := piecesOf(nil, text, nil)
		c := change{At: len(text) / 2, Add: []byte("p, ann, /, GET\n")}
		next := slices.Concat(text[:c.At], c.Add, text[c.At:])
		for b.Loop() {
			p.changed(&c, next, nil).sum()
		}
	})
}
