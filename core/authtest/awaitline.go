package authtest

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// AwaitLine reads the output of a program that the test has started until a line contains
// text. It keeps reading in the background, so that the program never blocks on the pipe.
// The test fails if the program ends first, or if no such line appears within two minutes.
func AwaitLine(t testing.TB, said io.Reader, text string) {
	t.Helper()
	found := make(chan error, 1)
	go func() {
		var log strings.Builder
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if strings.Contains(lines.Text(), text) {
				found <- nil
				_, _ = io.Copy(io.Discard, said)
				return
			}
			log.WriteString(lines.Text() + "\n")
		}
		found <- errors.New("the program has ended: " + log.String())
	}()
	select {
	case err := <-found:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(TimeLimit(2 * time.Minute)):
		t.Fatalf("the program has not said %q for two minutes", text)
	}
}
