// Command report writes docs/performance.md and its plots from the raw output
// of make bench. The same raw output gives the same pages.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	raw := flag.String("raw", ".build/bench/last", "the folder with the raw output")
	out := flag.String("out", "docs", "the folder for performance.md, with the plots in performance/")
	flag.Parse()
	if err := run(*raw, *out); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(raw, out string) error {
	r, err := readResults(raw)
	if err != nil {
		return err
	}
	page, err := write(r)
	if err != nil {
		return err
	}
	plots := filepath.Join(out, "performance")
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	for _, draw := range figures {
		if err := draw(r, plots); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(out, "performance.md"), []byte(page), 0o644)
}
