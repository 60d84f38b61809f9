package revoke_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// deaf is a log to which nobody may listen, as to one on a standby.
type deaf struct{ revoketest.Memory }

func (*deaf) Listen(context.Context, func()) error { return errors.New("no right to listen") }

// TestListeningThatFailsIsLogged: once, since only the poll finds revocations then.
func TestListeningThatFailsIsLogged(t *testing.T) {
	t.Parallel()
	log, logged := new(deaf), new(lines)
	f := follow(t, log, revoke.WithLogger(slog.New(slog.NewTextHandler(logged, nil))))
	for range 3 {
		at, err := log.Append(t.Context(), "", revoke.Entry{ID: "a"})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.WaitFor(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	for f.Status().ListenErr == nil {
		if err := f.WaitFor(t.Context(), revoke.Position{Number: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if n := logged.count("no right to listen"); n != 1 {
		t.Errorf("logged %d times: %s", n, logged.text.String())
	}
}
