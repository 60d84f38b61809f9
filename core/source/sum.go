package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Sum is the hash of the content of one file; see [SumFile].
type Sum [sha256.Size]byte

// SumFile returns the SHA-256 of the concatenated SHA-256 hashes of all pieces of a
// content; an empty one has no piece. The end of a piece depends on its bytes, so that
// pieces after an edit are the same as before, wherever they are then, and need not be
// hashed again. step, unless it is nil, is called after each piece.
//
// A piece has 65,536 bytes, or the rest if that is less, unless it ends earlier: at the
// first line feed behind its first 4096 bytes that is the last of 64 bytes whose mix has
// four leading zero bits. The mix is an unsigned number of 64 bits that begins as 0. For
// each eight of the bytes, taken as a little-endian number, it is the exclusive or of
// that and the mix before, multiplied by 0x9e3779b97f4a7c15 modulo 2^64, and then the
// exclusive or of itself and itself shifted right by 32 bits.
func SumFile(content []byte, step func()) Sum {
	return piecesOf(nil, content, step).sum()
}

// FileSum is the content of a file with its sum.
type FileSum struct {
	// Sum is the [SumFile] of the content.
	Sum     Sum
	content []byte
	pieces  pieces
}

// Next returns the FileSum of the next content of a file, and hashes only what is not
// in f. A nil f has no content. The content must not be modified as long as the result
// is in use; step is the one of SumFile.
func (f *FileSum) Next(content []byte, step func()) *FileSum {
	if f == nil {
		f = &FileSum{}
	}
	c := changeOf(f.content, content)
	pieces := f.pieces.changed(&c, content, step)
	return &FileSum{pieces.sum(), content, pieces}
}

// piece is a part of a file.
type piece struct {
	end  int // its offset in the file
	hash [sha256.Size]byte
}

// pieces are all pieces of a file in order; none if it is empty.
type pieces []piece

const (
	leastPiece = 4 << 10
	mostPiece  = 64 << 10
	// edge is the number of bytes before a position that decide whether a piece may end
	// there.
	edge = 64
	// edgeBits is the number of bits of their hash that must be 0 for that.
	edgeBits = 4
)

// firstPiece returns the length of the first piece of a text. It ends after the
// first line for which the bytes up to there are an edge, which holds for one line
// in 16. They span more than one line, since single lines are often alike.
func firstPiece(text []byte) int {
	most := min(len(text), mostPiece)
	for at := leastPiece; at < most; {
		line := bytes.IndexByte(text[at:most], '\n')
		if line < 0 {
			break
		}
		if at += line + 1; isEdge(text[at-edge : at]) {
			return at
		}
	}
	return most
}

// isEdge reports whether a piece may end after these bytes. Only the number of pieces
// depends on how well they are mixed.
func isEdge(last []byte) bool {
	hash := uint64(0)
	for i := 0; i < edge; i += 8 {
		hash = (hash ^ binary.LittleEndian.Uint64(last[i:])) * 0x9e3779b97f4a7c15
		hash ^= hash >> 32
	}
	return hash>>(64-edgeBits) == 0
}

// piecesOf returns before, which are the first pieces of a text, and its other pieces.
func piecesOf(before pieces, text []byte, step func()) pieces {
	if before == nil {
		before = make(pieces, 0, len(text)/leastPiece+1)
	}
	for at := before.size(); at < len(text); at = before.size() {
		before = before.with(text, step)
	}
	return before
}

// with appends the next piece of a text.
func (p pieces) with(text []byte, step func()) pieces {
	at := p.size()
	end := at + firstPiece(text[at:])
	p = append(p, piece{end, sha256.Sum256(text[at:end])})
	if step != nil {
		step()
	}
	return p
}

// size returns the total number of bytes.
func (p pieces) size() int {
	if len(p) == 0 {
		return 0
	}
	return p[len(p)-1].end
}

// changed returns the pieces of a text that is the result of a change of the text of p.
func (p pieces) changed(c *change, text []byte, step func()) pieces {
	// The last piece may end where it does only because the text ended.
	same := 0
	for same < len(p)-1 && p[same].end <= c.At {
		same++
	}
	made := append(make(pieces, 0, len(p)+1+len(c.Add)/leastPiece), p[:same]...)
	longer := len(c.Add) - c.Cut
	for made.size() < len(text) {
		made = made.with(text, step)
		end := made.size()
		if end < c.At+len(c.Add) {
			continue
		}
		// From here on the text is the same as before, and so are its pieces, from
		// the first place where a piece of each begins.
		i, found := slices.BinarySearchFunc(p, end-longer, func(before piece, at int) int { return before.end - at })
		if found {
			for _, moved := range p[i+1:] {
				made = append(made, piece{moved.end + longer, moved.hash})
			}
			break
		}
	}
	return made
}

// sum returns the hash of all pieces.
func (p pieces) sum() (s Sum) {
	h := sha256.New()
	for i := range p {
		_, _ = h.Write(p[i].hash[:]) // never fails
	}
	h.Sum(s[:0])
	return s
}

// summed holds the hash of all files and the pieces of each.
type summed struct {
	hash   string
	files  []File
	pieces []pieces
	sums   []Sum
}

// sumUp computes the hash and the pieces of sorted files.
func sumUp(files []File) *summed {
	s := &summed{files: files, pieces: make([]pieces, len(files)), sums: make([]Sum, len(files))}
	for i, f := range files {
		s.pieces[i] = piecesOf(nil, f.Content, nil)
		s.sums[i] = s.pieces[i].sum()
	}
	s.hash = hashOf(files, s.sums)
	return s
}

// edited returns the result for files that are those of s after an edit.
func (s *summed) edited(by *edit, files []File) *summed {
	made := &summed{files: files, pieces: slices.Clone(s.pieces), sums: slices.Clone(s.sums)}
	for i := range by.Files {
		c := &by.Files[i]
		at := slices.IndexFunc(files, func(f File) bool { return f.Name == c.Name })
		made.pieces[at] = made.pieces[at].changed(c, files[at].Content, nil)
		made.sums[at] = made.pieces[at].sum()
	}
	made.hash = hashOf(files, made.sums)
	return made
}

// of reports whether s belongs to the files of c: a source that wraps another one
// may have put others into a copy.
func (s *summed) of(c *Content) bool {
	return s != nil && len(c.Files) > 0 && len(s.files) == len(c.Files) && &s.files[0] == &c.Files[0]
}

// Sum returns the [SumFile] of the file with this index. It is free if a [Follower] has
// fetched the content.
func (c *Content) Sum(file int, step func()) Sum {
	if c.summed.of(c) {
		return c.summed.sums[file]
	}
	return SumFile(c.Files[file].Content, step)
}
