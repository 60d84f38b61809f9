package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

const unreleased = "## [Unreleased]\n"

// changelog is the file with what was unreleased under a heading of the version.
func (r *release) changelog(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	text, number := string(data), strings.TrimPrefix(r.version, "v")
	before, after, found := strings.Cut(text, unreleased)
	if !found {
		return "", fmt.Errorf("%s: there is no heading %q", name, strings.TrimSpace(unreleased))
	}
	if strings.Contains(text, "\n## ["+number+"]") {
		return "", fmt.Errorf("%s: there is a section for %s already", name, number)
	}
	section, _, _ := strings.Cut(after, "\n## ")
	section, _, _ = strings.Cut(section, "\n[Unreleased]: ")
	if strings.TrimSpace(section) == "" {
		return "", fmt.Errorf("%s: nothing is listed under %q", name, strings.TrimSpace(unreleased))
	}
	heading := fmt.Sprintf("\n## [%s] - %s\n", number, r.day)
	text = before + unreleased + heading + after

	// The links: what is unreleased is what follows the version.
	old, rest, found := strings.Cut(text, "\n[Unreleased]: ")
	if !found {
		return "", errors.New(name + ": there is no link for [Unreleased]")
	}
	_, rest, _ = strings.Cut(rest, "\n")
	const repository = "https://github.com/sallyport-go/sallyport"
	return old + fmt.Sprintf("\n[Unreleased]: %s/compare/core/%s...main\n[%s]: %s/releases/tag/core/%s\n",
		repository, r.version, number, repository, r.version) + rest, nil
}
