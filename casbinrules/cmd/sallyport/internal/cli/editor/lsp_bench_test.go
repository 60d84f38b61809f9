//go:build unix

package editor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
)

// BenchmarkLSPKeystroke measures the time from a keystroke until the editor has the
// diagnostics, for policies of so many lines, and the processor time for that, without
// the editor's own work.
func BenchmarkLSPKeystroke(b *testing.B) {
	for _, lines := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			var text strings.Builder
			for i := range lines / 2 {
				fmt.Fprintf(&text, "p, role%d, /a%d/:id/b%d/*, %s\ng, user%d, role%d\n", i%(lines/20), i%1000, i, []string{"GET", "PUT", "POST", "*"}[i%4], i, i%(lines/20))
			}
			file := filepath.Join(b.TempDir(), policyfile.PolicyName)
			w := startWire(b)
			w.send(`"id":1,"method":"initialize"`, map[string]any{
				"workspaceFolders": []any{map[string]any{"uri": fileURI(filepath.Dir(file))}}, "initializationOptions": map[string]any{"model": "rbac"},
			})
			w.receive(`"id":1`)
			w.send(`"method":"textDocument/didOpen"`, map[string]any{"textDocument": map[string]any{"uri": fileURI(file), "version": 1, "text": text.String()}})
			w.receive(`"version":1,`)
			version := 1
			started := processorTime(b)
			for b.Loop() {
				version++
				at := lspPosition{lines / 2, 3}
				typed := map[string]any{"range": lspRange{at, at}, "text": "x"}
				if version%2 > 0 {
					typed = map[string]any{"range": lspRange{at, lspPosition{at.Line, 4}}, "text": ""}
				}
				w.send(`"method":"textDocument/didChange"`, map[string]any{
					"textDocument": map[string]any{"uri": fileURI(file), "version": version}, "contentChanges": []any{typed},
				})
				w.receive(fmt.Sprintf(`"version":%d,`, version))
			}
			b.ReportMetric(float64(processorTime(b)-started)/float64(b.N)/1e6, "cpu-ms/op")
		})
	}
}

// processorTime is the processor time used by this process.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// wire is a client that does not decode the messages it reads.
type wire struct {
	b    *testing.B
	out  *io.PipeWriter
	in   *bufio.Reader
	body []byte
}

func startWire(b *testing.B) *wire {
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		program([]string{"lsp"}, in, out, io.Discard)
		_ = out.Close()
	}()
	b.Cleanup(func() {
		_ = toServer.Close()
		_ = fromServer.Close()
		<-done
	})
	return &wire{b: b, out: toServer, in: bufio.NewReaderSize(fromServer, 1<<16)}
}

// send sends a message that begins with head.
func (w *wire) send(head string, params any) {
	body, err := json.Marshal(params)
	if err != nil {
		w.b.Fatal(err)
	}
	message := fmt.Sprintf(`{"jsonrpc":"2.0",%s,"params":%s}`, head, body)
	if _, err := fmt.Fprintf(w.out, "Content-Length: %d\r\n\r\n%s", len(message), message); err != nil {
		w.b.Fatal(err)
	}
}

// receive reads messages until one has part near its start.
func (w *wire) receive(part string) {
	for {
		var length int
		for line := " "; strings.TrimSpace(line) != "" || length == 0; {
			var err error
			if line, err = w.in.ReadString('\n'); err != nil {
				w.b.Fatal(err)
			}
			_, _ = fmt.Sscanf(line, "Content-Length: %d", &length)
		}
		if cap(w.body) < length {
			w.body = make([]byte, length)
		}
		w.body = w.body[:length]
		if _, err := io.ReadFull(w.in, w.body); err != nil {
			w.b.Fatal(err)
		}
		if strings.Contains(string(w.body[:min(length, 1000)]), part) {
			return
		}
	}
}
