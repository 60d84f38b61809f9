package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// UntilSignal returns ctx, ended by a signal to stop.
func UntilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}
