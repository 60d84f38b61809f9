package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// job is one request to make.
type job struct {
	id     string // unique in its file
	method string
	path   string // and query
	body   string
}

// openJobs reads the jobs in a file.
func openJobs(name string) ([]job, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return readJobs(name, f)
}

// readJobs reads one job a line, METHOD PATH and what remains as the body. Empty
// lines and those that begin with # are none.
func readJobs(name string, r io.Reader) ([]job, error) {
	var jobs []job
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		method, rest, _ := strings.Cut(text, " ")
		path, body, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if !strings.HasPrefix(path, "/") || method != strings.ToUpper(method) {
			return nil, fmt.Errorf("%s:%d: want METHOD /path, and then the body if there is one", name, n)
		}
		jobs = append(jobs, job{id: fmt.Sprintf("%s:%d", name, n), method: method, path: path, body: strings.TrimSpace(body)})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(jobs) == 0 {
		return nil, errors.New(name + ": no jobs")
	}
	return jobs, nil
}
