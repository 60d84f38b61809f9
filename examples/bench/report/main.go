// Command report writes docs/performance.md and its plots from the raw output of
// make bench, and details.md beside that output. The same raw output gives the
// same pages.
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
	if err := publish(r, out, "performance.md", pageText, pageFigures); err != nil {
		return err
	}
	return publish(r, raw, "details.md", detailsText, append(pageFigures, otherFigures...))
}

// publish writes a page into a folder, and its plots into performance/ there.
func publish(r *results, folder, name, text string, figures []drawing) error {
	page, err := write(r, name, text)
	if err != nil {
		return err
	}
	plots := filepath.Join(folder, "performance")
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	for _, draw := range figures {
		if err := draw(r, plots); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, name), []byte(page), 0o644)
}
