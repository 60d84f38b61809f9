package redis

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/source"
)

const (
	// maxPacked is the maximum size of the packed files of a revision.
	maxPacked = source.MaxSize + source.MaxFiles*(255+2*8)
	// small is how many of these bytes are read together with the number of the
	// revision: enough for a thousand rules.
	small = 64 << 10
)

// pack joins all files to one text, in which the length of each name and content precedes
// it, in eight bytes. A key with a single text can be read up to a limit.
func pack(files []source.File) []byte {
	size := 0
	for _, f := range files {
		size += 2*8 + len(f.Name) + len(f.Content)
	}
	text := make([]byte, 0, size)
	for _, f := range files {
		text = append(binary.BigEndian.AppendUint64(text, uint64(len(f.Name))), f.Name...)
		text = append(binary.BigEndian.AppendUint64(text, uint64(len(f.Content))), f.Content...)
	}
	return text
}

var errPacked = errors.New("its files cannot be separated")

// unpack is the reverse of pack. Files share the memory of text.
func unpack(text []byte) (files []source.File, err error) {
	next := func() (part []byte) {
		if len(text) < 8 || binary.BigEndian.Uint64(text) > uint64(len(text)-8) {
			text, err = nil, errPacked
			return nil
		}
		end := 8 + int(binary.BigEndian.Uint64(text)) // #nosec G115 -- is at most the length of text
		part, text = slices.Clip(text[8:end]), text[end:]
		return part
	}
	for len(text) > 0 {
		files = append(files, source.File{Name: string(next()), Content: next()})
	}
	return files, err
}

// packed holds the requested size of the files of a revision, and the files if small.
type packed struct {
	size  *redis.IntCmd
	begin *redis.StringCmd
}

// packed requests the files of a revision.
func (s *Store) packed(ctx context.Context, p redis.Pipeliner, r source.Revision) *packed {
	return &packed{p.StrLen(ctx, s.filesAt(r)), p.GetRange(ctx, s.filesAt(r), 0, small-1)}
}

// content reads the files of a revision; of is what was already read of them, or
// nil. Nobody with write access to the server can make instances use more memory
// than files may take.
func (s *Store) content(ctx context.Context, r source.Revision, of *packed) (*source.Content, error) {
	if of == nil {
		p := s.client.Pipeline()
		of = s.packed(ctx, p, r)
		if _, err := p.Exec(ctx); err != nil {
			return nil, err
		}
	}
	size := of.size.Val()
	if size == 0 {
		return nil, errors.New("its files are missing")
	}
	if size > maxPacked {
		return nil, fmt.Errorf("it has more than %d bytes", source.MaxSize)
	}
	text := of.begin
	if size > small {
		text = s.slow.GetRange(ctx, s.filesAt(r), 0, size-1)
	}
	got, err := text.Bytes()
	if err != nil {
		return nil, err
	}
	files, err := unpack(got)
	if err != nil {
		return nil, err
	}
	return source.NewContent(r, files)
}
