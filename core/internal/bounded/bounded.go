// Package bounded reads input up to a maximum number of bytes, so that nobody can
// make a service use more memory than intended.
package bounded

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/sallyport-go/sallyport/core/internal/errtype"
)

// LengthError means that there was more to read than the limit.
type LengthError struct{ Limit int64 }

func (e *LengthError) Error() string { return fmt.Sprintf("longer than %d bytes", e.Limit) }

// Read reads r to its end. If there are more than limit bytes, the error is a
// [*LengthError]; so it is if a middleware has limited r to fewer.
func Read(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if cut, ok := errtype.As[*http.MaxBytesError](err); ok {
		return nil, &LengthError{cut.Limit}
	}
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &LengthError{limit}
	}
	return data, nil
}

// File reads the file at path up to limit bytes and one more, from which its parser
// can tell that there is more.
func File(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	return io.ReadAll(io.LimitReader(file, limit+1))
}

// Body reads the body of a response with [Read], unless its Content-Length exceeds
// limit. A body that ends before its Content-Length is an error of net/http.
func Body(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, &LengthError{limit}
	}
	return Read(resp.Body, limit)
}
