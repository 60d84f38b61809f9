package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// beginning is a sentence that is true before the first release only.
var beginning = regexp.MustCompile(`(?m)(?:Until the first release|There is no release yet)\b.*?\.(?: |$)`)

// pages takes such sentences out of the README and the pages of docs.
func (r *release) pages() error {
	files, err := filepath.Glob(filepath.Join(r.clone, "docs", "*.md"))
	if err != nil {
		return err
	}
	for _, name := range append(files, filepath.Join(r.clone, "README.md")) {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(withoutBeginnings(string(text))), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func withoutBeginnings(page string) string {
	var kept []string
	for p := range strings.SplitSeq(page, "\n\n") {
		left := beginning.ReplaceAllString(p, "")
		if left != p {
			left = strings.ReplaceAll(left+"\n", " \n", "\n")
			left = strings.TrimSuffix(left, "\n")
		}
		if left != "" || p == "" {
			kept = append(kept, left)
		}
	}
	return strings.Join(kept, "\n\n")
}
