package lsp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"sync"

	"github.com/sourcegraph/jsonrpc2"
)

const (
	// maxMessage is the maximum size of a message in bytes: enough for a policy file of a
	// million lines, doubled for JSON escapes.
	maxMessage = 256 << 20
	// maxHeader is the maximum size of the header of a message in bytes.
	maxHeader = 8 << 10
)

// stream reads and writes messages in the framing of LSP's base protocol. A message that is
// not JSON-RPC is answered with an error and skipped; if the end of a message cannot be
// determined, the connection ends.
type stream struct {
	in  *bufio.Reader
	out io.Writer
	// closing unblocks a pending read, if the input can be closed.
	closing io.Closer
	writing sync.Mutex
}

func newStream(in io.Reader, out io.Writer) *stream {
	s := &stream{in: bufio.NewReaderSize(in, maxHeader), out: out}
	s.closing, _ = in.(io.Closer)
	return s
}

// ReadObject implements jsonrpc2.ObjectStream.
func (s *stream) ReadObject(v any) error {
	for {
		body, err := s.readBody()
		if err != nil {
			return err
		}
		if err = json.Unmarshal(body, v); err == nil {
			return nil
		}
		refusal := jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: err.Error()}
		if !json.Valid(body) {
			refusal.Code = jsonrpc2.CodeParseError
		}
		// The request is unknown, which a null id expresses.
		if err := s.WriteObject(map[string]any{"jsonrpc": "2.0", "id": nil, "error": refusal}); err != nil {
			return err
		}
	}
}

// readBody reads the header and content of one message. It allocates for the bytes
// received, not for the length announced.
func (s *stream) readBody() ([]byte, error) {
	length := -1
	for read := 0; ; {
		line, err := s.in.ReadSlice('\n')
		if err != nil {
			if err == io.EOF && len(line) == 0 && read == 0 {
				return nil, io.EOF
			}
			return nil, fmt.Errorf("lsp: the header of a message: %w", err)
		}
		if read += len(line); read > maxHeader {
			return nil, errors.New("lsp: the header of a message is too long")
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if textproto.CanonicalMIMEHeaderKey(string(name)) == "Content-Length" {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 || length > maxMessage {
				return nil, fmt.Errorf("lsp: the Content-Length %q is not a number of bytes up to %d", value, maxMessage)
			}
		}
	}
	if length < 0 {
		return nil, errors.New("lsp: a message without Content-Length")
	}
	var body bytes.Buffer
	if _, err := io.CopyN(&body, s.in, int64(length)); err != nil {
		return nil, fmt.Errorf("lsp: the content of a message: %w", err)
	}
	return body.Bytes(), nil
}

// WriteObject implements jsonrpc2.ObjectStream.
func (s *stream) WriteObject(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	// Some clients do not expect the line feed that the encoder appends.
	body := bytes.TrimRight(b.Bytes(), "\n")
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := fmt.Fprintf(s.out, "Content-Length: %d\r\n\r\n", len(body)); err != nil {
		return err
	}
	_, err := s.out.Write(body)
	return err
}

// publish sends diagnostics directly, because jsonrpc2 encodes each message three times:
// with 2,000 diagnostics that would be half the cost of a keystroke in a policy of 10,000
// lines. A write error also ends reading.
func (s *stream) publish(p publishDiagnosticsParams) {
	_ = s.WriteObject(struct {
		Version string                   `json:"jsonrpc"`
		Method  string                   `json:"method"`
		Params  publishDiagnosticsParams `json:"params"`
	}{"2.0", "textDocument/publishDiagnostics", p})
}

// Close implements jsonrpc2.ObjectStream.
func (s *stream) Close() error {
	if s.closing == nil {
		return nil
	}
	return s.closing.Close()
}
