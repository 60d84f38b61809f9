package authtest

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// AwaitLine reads what a program that the test has started says, until a line has
// text in it, and goes on reading so that the program never waits for its pipe. The
// test fails if the program ends before, or says nothing of the kind for two minutes.
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
