package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	errBad := errors.New("bad")
	take := func(context.Context, Snapshot) error { return nil }
	if _, err := New([]string{file}, nil); err == nil || !strings.Contains(err.Error(), "callback is nil") {
		t.Errorf("without callback: %v", err)
	}
	if _, err := New(nil, take); err == nil || !strings.Contains(err.Error(), "no path") {
		t.Errorf("without path: %v", err)
	}
	if _, err := New([]string{file}, take); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without file: %v", err)
	}
	write(t, file, "x")
	if _, err := New([]string{file}, func(context.Context, Snapshot) error { return errBad }); !errors.Is(err, errBad) {
		t.Errorf("rejected: %v", err)
	}
	var p *core.PanicError
	_, err := New([]string{file}, func(context.Context, Snapshot) error { panic("ouch") })
	if !errors.As(err, &p) || p.Value != "ouch" || len(p.Stack) == 0 || !strings.Contains(err.Error(), "ouch") {
		t.Errorf("panicked: %v", err)
	}
}

func TestContentInUseIsNotGivenAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "used")
	used, err := Read([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	s := watching(t, []string{file}, WithCurrentSnapshot(used))
	s.noCallback(t)

	// What happened between Read and New is not lost.
	replace(t, file, "changed")
	late := watching(t, []string{file}, WithCurrentSnapshot(used))
	if got := show(late.next(t)); got != "p.csv=changed\n" {
		t.Errorf("called with %q", got)
	}
}

// H06: the last good content stays, whatever the file does.
func TestMissingFileIsReportedOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "good")
	s := watching(t, []string{file})
	s.next(t)

	remove(t, file)
	if err := s.failure(t); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("reported %v", err)
	}
	for range 3 {
		if changed, err := s.Trigger(t.Context()); changed || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Trigger = %v, %v", changed, err)
		}
	}
	if err := s.Err(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Err = %v", err)
	}
	replace(t, file, "good")
	if got := show(s.next(t)); got != "p.csv=good\n" {
		t.Errorf("called with %q once it is back", got)
	}
	s.noCallback(t)
	if err := s.Err(); err != nil {
		t.Errorf("Err once it is back = %v", err)
	}
	if n := len(s.reported); n != 0 {
		t.Errorf("%d more errors are reported, such as %v", n, <-s.reported)
	}

	// After it was well, the same error is news.
	remove(t, file)
	if err := s.failure(t); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reported %v", err)
	}
	write(t, file, "new")
	s.await(t, "p.csv=new\n")
}

// A file that another process deletes and creates again a little later is
// waited for: no error, one call.
func TestFileMissingForAMomentIsNoError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	s, looked := counted(t, []string{file}, WithDebounce(time.Millisecond, time.Minute))
	s.next(t)
	remove(t, file)
	looked()
	replace(t, file, "new")
	if got := show(s.next(t)); got != "p.csv=new\n" {
		t.Errorf("called with %q", got)
	}
	if n := len(s.reported); n > 0 {
		t.Errorf("reported %v", <-s.reported)
	}
}

func TestUnreadableFileIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "p.csv")
	write(t, file, "good")
	s := watching(t, []string{file})
	s.next(t)
	relink(t, "p.csv", file) // a link to itself
	if err := s.failure(t); !strings.Contains(err.Error(), file+": ") {
		t.Errorf("reported %v", err)
	}
	relink(t, os.DevNull, file)
	if _, err := s.Trigger(t.Context()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("device in its place: %v", err)
	}
	remove(t, file)
	write(t, file, "new")
	s.await(t, "p.csv=new\n")
}

func TestRejectedContentIsNotRetried(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	errHalf := errors.New("half")
	write(t, file, "good")
	s, looked := counted(t, []string{file}, WithDebounce(time.Millisecond, 2*time.Millisecond))
	s.next(t)
	s.rejecting("half", errHalf)

	replace(t, file, "half")
	s.await(t, "p.csv=half\n")
	looked()
	replace(t, file, "half")
	looked()
	if n := len(s.got); n != 0 {
		t.Errorf("called %d times more", n)
	}
	if err := s.Err(); !errors.Is(err, errHalf) {
		t.Errorf("Err = %v", err)
	}

	// Whoever insists gets it tried again.
	if changed, err := s.Trigger(t.Context()); changed || !errors.Is(err, errHalf) {
		t.Errorf("Trigger = %v, %v", changed, err)
	}
	if got := show(s.next(t)); got != "p.csv=half\n" {
		t.Errorf("called with %q", got)
	}
	s.rejecting("nothing", nil)
	if changed, err := s.Trigger(t.Context()); !changed || err != nil {
		t.Errorf("Trigger once it is taken = %v, %v", changed, err)
	}
	s.await(t, "p.csv=half\n")
	s.noCallback(t)
	replace(t, file, "good")
	s.await(t, "p.csv=good\n")
	s.noCallback(t)
	if err := s.Err(); err != nil {
		t.Errorf("Err = %v", err)
	}
}

// A file that is caught half-written is rejected, and taken once it is whole.
func TestHalfWrittenFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old;")
	s := watching(t, []string{file})
	s.next(t)
	errHalf := errors.New("half")
	s.mu.Lock()
	s.reject = func(snap Snapshot) error {
		if !strings.HasSuffix(show(snap), ";\n") {
			return errHalf
		}
		return nil
	}
	s.mu.Unlock()
	write(t, file, "new ")
	s.await(t, "p.csv=new \n")
	write(t, file, "new policy;")
	s.await(t, "p.csv=new policy;\n")
	s.noCallback(t)
	if err := s.Err(); err != nil {
		t.Errorf("Err = %v", err)
	}
}

// After a failure, content that was rejected before is still rejected.
func TestRejectionOutlastsMissingFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	errBad := errors.New("bad")
	write(t, file, "good")
	s := watching(t, []string{file})
	s.next(t)
	s.rejecting("bad", errBad)
	write(t, file, "bad")
	s.await(t, "p.csv=bad\n")
	remove(t, file)
	if err := s.failure(t); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reported %v", err)
	}
	if _, err := s.Trigger(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Trigger = %v", err)
	}
	write(t, file, "bad")
	if _, err := s.Trigger(t.Context()); !errors.Is(err, errBad) {
		t.Errorf("Trigger = %v", err)
	}
	if err := s.Err(); !errors.Is(err, errBad) {
		t.Errorf("Err = %v", err)
	}
}

func TestPanicRejectsAndIsReported(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "good")
	s := watching(t, []string{file})
	s.next(t)
	s.mu.Lock()
	s.reject = func(Snapshot) error { panic("ouch") }
	s.mu.Unlock()
	replace(t, file, "bad")
	var p *core.PanicError
	if err := s.failure(t); !errors.As(err, &p) {
		t.Errorf("reported %v", err)
	}
	s.rejecting("nothing", nil)
	replace(t, file, "new")
	s.await(t, "p.csv=new\n")
}

func TestPanicOfErrorCallbackIsHarmless(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "good")
	s := watching(t, []string{file}, WithErrorObserver(func(error) { panic("ouch") }))
	s.next(t)
	remove(t, file)
	if _, err := s.Trigger(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Trigger = %v", err)
	}
	write(t, file, "new")
	s.await(t, "p.csv=new\n")
}

func TestTriggerDoesNotWaitForQuiet(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	s := watching(t, []string{file}, WithDebounce(time.Minute, time.Minute))
	s.next(t)
	write(t, file, "new")
	if changed, err := s.Trigger(t.Context()); !changed || err != nil {
		t.Errorf("Trigger = %v, %v", changed, err)
	}
	if got := show(s.next(t)); got != "p.csv=new\n" {
		t.Errorf("called with %q", got)
	}
	s.noCallback(t)
}

// A file that is written without pause is read all the same.
func TestConstantWritesDelayTheCallbackOnlySoLong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	s := watching(t, []string{file}, WithDebounce(time.Second, time.Second))
	s.next(t)
	during(t, func(n int) { replace(t, file, strconv.Itoa(n)) }, func() {
		for range 2 {
			s.next(t)
		}
	})
}
