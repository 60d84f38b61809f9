package watch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
	}, watch.OnError(func(err error) { fmt.Println("warning:", err) }))
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
	s, err := watch.Read([]string{dir}, watch.Suffixes(".csv"))
	for _, f := range s.Files {
		fmt.Println(filepath.Base(f.Name), len(f.Content))
	}
	fmt.Println(err)
	// Output:
	// access.csv 10
	// roles.csv 9
	// <nil>
}
