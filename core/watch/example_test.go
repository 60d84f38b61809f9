package watch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core/watch"
)

func ExampleNew() {
	dir, err := os.MkdirTemp("", "policies")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	policy := filepath.Join(dir, "policy.csv")
	edit := func(content string) {
		if err := os.WriteFile(policy, []byte(content), 0o600); err != nil {
			fmt.Println(err)
		}
	}
	edit("p, editor, /reports, GET\n")

	w, err := watch.New([]string{policy}, func(_ context.Context, s watch.Snapshot) error {
		content := s.Files[0].Content
		if len(content) == 0 {
			return errors.New("empty policy: the one before stays")
		}
		fmt.Printf("now in use: %s", content)
		return nil
	}, watch.WithErrorObserver(func(err error) { fmt.Println("warning:", err) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()

	// Edits are noticed by themselves. To have them looked at now, as upon
	// SIGHUP, there is Trigger.
	edit("p, editor, /reports, POST\n")
	_, err = w.Trigger(context.Background())
	fmt.Println(err)
	edit("")
	_, err = w.Trigger(context.Background())
	fmt.Println(err)
	// Output:
	// now in use: p, editor, /reports, GET
	// now in use: p, editor, /reports, POST
	// <nil>
	// empty policy: the one before stays
}

// allowlist is a store of names, one on each line.
type allowlist struct {
	names atomic.Pointer[[]string]
}

func (a *allowlist) Load(name string, data []byte) error {
	names := strings.Split(strings.TrimSpace(string(data)), "\n")
	for i, n := range names {
		if n == "" {
			return fmt.Errorf("%s:%d: empty line: remove it", filepath.Base(name), i+1)
		}
	}
	a.names.Store(&names)
	return nil
}

func ExampleLoad() {
	dir, err := os.MkdirTemp("", "names")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "names.txt")
	edit := func(content string) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			fmt.Println(err)
		}
	}
	edit("alice\n")

	var allowed allowlist
	w, err := watch.Load(file, &allowed,
		watch.WithErrorObserver(func(err error) { fmt.Println("warning:", err) }),
		watch.WithDebounce(time.Minute, time.Minute)) // leaves the loading to Trigger here
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	fmt.Println(*allowed.names.Load())

	// Trigger is for SIGHUP; edits are noticed without it.
	edit("alice\n\nbob\n")
	_, err = w.Trigger(context.Background())
	fmt.Println(err != nil, *allowed.names.Load())
	edit("alice\nbob\n")
	_, err = w.Trigger(context.Background())
	fmt.Println(err != nil, *allowed.names.Load())
	// Output:
	// [alice]
	// warning: names.txt:2: empty line: remove it
	// true [alice]
	// false [alice bob]
}

func ExampleRead() {
	dir, err := os.MkdirTemp("", "policies")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"roles.csv", "access.csv", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			fmt.Println(err)
		}
	}
	s, err := watch.Read([]string{dir}, watch.WithSuffixes(".csv"))
	for _, f := range s.Files {
		fmt.Println(filepath.Base(f.Name), len(f.Content))
	}
	fmt.Println(err)
	// Output:
	// access.csv 10
	// roles.csv 9
	// <nil>
}
