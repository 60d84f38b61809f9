package lsp

import (
	"slices"
	"strings"
)

type foldingRange struct {
	StartLine int    `json:"startLine"`
	EndLine   int    `json:"endLine"`
	Kind      string `json:"kind,omitempty"`
}

// fold returns the sections of a model, or the blocks between empty lines of other files,
// and comments of several lines.
func (s *server) fold(q *query) (any, error) {
	d := q.doc
	made := []foldingRange{}
	add := func(from, to int, kind string) {
		if to > from {
			made = append(made, foldingRange{d.position(d.feeds[from], q.view.enc).Line, d.position(d.feeds[to], q.view.enc).Line, kind})
		}
	}
	comment, block, last := -1, -1, -1
	end := func() {
		if block >= 0 {
			add(block, last, "region")
		}
		block = -1
	}
	for n := range d.lines() {
		line := strings.TrimSpace(d.line(n))
		isComment := line != "" && (line[0] == '#' || d.kind == KindModel && line[0] == ';')
		if isComment && comment < 0 {
			comment = n
		}
		if !isComment && comment >= 0 {
			add(comment, n-1, "comment")
			comment = -1
		}
		switch {
		case d.kind == KindModel && strings.HasPrefix(line, "["):
			end()
			block, last = n, n
		case d.kind != KindModel && line == "":
			end()
		case line != "" && block < 0 && d.kind != KindModel:
			block, last = n, n
		case line != "" && !isComment:
			last = n
		}
	}
	if comment >= 0 {
		add(comment, d.lines()-1, "comment")
	}
	end()
	slices.SortStableFunc(made, func(a, b foldingRange) int { return a.StartLine - b.StartLine })
	return made, nil
}
