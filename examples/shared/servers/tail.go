package servers

import (
	"strings"
	"sync"
)

// tail keeps the last part of what is written to it. It is safe for concurrent
// use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// maxTail is enough for the message a server ends with.
const maxTail = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(len(t.text)-maxTail, 0):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
