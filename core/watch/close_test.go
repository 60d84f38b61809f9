package watch

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestOneCallbackAtATime(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "0")
	var running, calls atomic.Int32
	w, err := New([]string{file}, func(context.Context, Snapshot) error {
		defer running.Add(-1)
		if running.Add(1) != 1 {
			t.Error("two callbacks at a time")
		}
		calls.Add(1)
		return nil
	}, WithDebounce(time.Millisecond, time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				replaceAs(t, file, strconv.Itoa(i), strconv.Itoa(100*i+j))
				// Seven others replace the file, so a read may find no quiet moment.
				if _, err := w.Trigger(t.Context()); err != nil && !errors.Is(err, ErrChanging) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if calls.Load() < 2 {
		t.Errorf("%d calls", calls.Load())
	}
}

// replaceAs is replace for several at a time, each with a name of its own.
func replaceAs(t *testing.T, path, who, content string) {
	write(t, path+who+"~", content)
	rename(t, path+who+"~", path)
}

func TestCloseEndsAndAwaitsTheCallback(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	running := make(chan struct{})
	var ended atomic.Bool
	w, err := New([]string{file}, func(ctx context.Context, s Snapshot) error {
		if show(s) == "p.csv=old\n" {
			return nil
		}
		close(running)
		<-ctx.Done()
		ended.Store(true)
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	replace(t, file, "new")
	<-running

	// Nobody waits for a callback longer than they want to.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Trigger(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Trigger beside a callback = %v", err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if !ended.Load() {
				t.Error("Close did not wait")
			}
		})
	}
	wg.Wait()
	if _, err := w.Trigger(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Trigger after Close = %v", err)
	}
}

func TestCloseReleasesTriggers(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	running := make(chan struct{})
	w, err := New([]string{file}, func(ctx context.Context, s Snapshot) error {
		if show(s) == "p.csv=old\n" {
			return nil
		}
		close(running)
		<-ctx.Done()
		return ctx.Err()
	}, WithDebounce(time.Minute, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	replace(t, file, "new")
	first := make(chan error, 1)
	go func() {
		_, err := w.Trigger(context.Background())
		first <- err
	}()
	<-running
	second := make(chan error, 1)
	go func() {
		_, err := w.Trigger(context.Background())
		second <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	third := make(chan error, 1)
	go func() {
		_, err := w.Trigger(ctx)
		third <- err
	}()
	cancel()
	if err := <-third; !errors.Is(err, context.Canceled) {
		t.Errorf("third Trigger = %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-first; !errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed) {
		t.Errorf("first Trigger = %v", err)
	}
	if err := <-second; !errors.Is(err, ErrClosed) {
		t.Errorf("second Trigger = %v", err)
	}
}
