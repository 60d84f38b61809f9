// Command renames brings code that uses this project up to its present names.
// It reads the sections "Renamed" of a changelog and applies them to the Go
// files and go.mod files of a folder, by syntax alone: the folder need not
// build. Every other byte stays as it is, and a second run changes nothing.
//
// What it cannot apply it prints, as file:line: what and why. That is no
// failure: the exit status tells only whether everything could be read and
// written.
//
// Usage: renames CHANGELOG DIR
package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: renames CHANGELOG DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "!! renames:", err)
		os.Exit(1)
	}
}

// run applies the list in the file changelog to the folder dir, and reports to
// out.
func run(changelog, dir string, out io.Writer) error {
	text, err := os.ReadFile(changelog)
	if err != nil {
		return err
	}
	l, err := parseList(filepath.Base(changelog), string(text))
	if err != nil {
		return err
	}
	var changed, left int
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" || d.Name() == "vendor" {
				return filepath.SkipDir
			}
			return nil
		}
		var apply func(path string, src []byte) ([]byte, []string)
		switch {
		case !d.Type().IsRegular():
			return nil
		case filepath.Ext(path) == ".go":
			apply = l.applySource
		case d.Name() == "go.mod":
			apply = l.applyMod
		default:
			return nil
		}
		wrote, notes, err := rewrite(path, apply)
		if wrote {
			changed++
			fmt.Fprintln(out, "rewrote", path)
		}
		left += len(notes)
		for _, n := range notes {
			fmt.Fprintln(out, n)
		}
		return err
	})
	fmt.Fprintf(out, "%d files rewritten, %d places left to do by hand\n", changed, left)
	return err
}

// rewrite applies a function to a file, and writes it if that changed it.
func rewrite(path string, apply func(path string, src []byte) ([]byte, []string)) (wrote bool, notes []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, nil, err
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return false, nil, err
	}
	now, notes := apply(path, src)
	if bytes.Equal(now, src) {
		return false, notes, nil
	}
	return true, notes, os.WriteFile(path, now, info.Mode().Perm())
}
