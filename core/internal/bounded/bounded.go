// Package bounded reads what others send up to a number of bytes, so that nobody can
// make a service take more memory than it has said.
package bounded

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// LengthError says that there was more to read than a number of bytes.
type LengthError struct{ Limit int64 }

func (e *LengthError) Error() string { return fmt.Sprintf("longer than %d bytes", e.Limit) }

// Read reads r to its end. After limit bytes and one more the error is a
// [*LengthError], and so it is where a middleware has limited r to fewer.
func Read(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	var cut *http.MaxBytesError
	if errors.As(err, &cut) {
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

// File reads the file at path up to limit bytes and one more, by which its parser sees
// that there is more.
func File(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	return io.ReadAll(io.LimitReader(file, limit+1))
}

// Body is [Read] of the body of an answer, of which nothing is read if it is said to
// be longer. A body that ends before its Content-Length is an error of net/http.
func Body(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, &LengthError{limit}
	}
	return Read(resp.Body, limit)
}
