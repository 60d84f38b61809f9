package main

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
)

// modFile is a go.mod file on its way to the new module paths.
type modFile struct {
	list  *list
	path  string
	file  *modfile.File
	lines []string // with their newlines
	notes []string
}

// applyMod moves what a go.mod file requires and replaces to the modules that
// have the packages now. Only the lines of these change: modfile itself would
// format the rest anew.
func (l *list) applyMod(path string, src []byte) ([]byte, []string) {
	file, err := modfile.Parse(path, src, nil)
	if err != nil {
		return src, []string{fmt.Sprintf("%v: left as it is", err)}
	}
	m := &modFile{list: l, path: path, file: file, lines: strings.SplitAfter(string(src), "\n")}
	m.requires()
	m.replaces()
	m.parts()
	return []byte(strings.Join(m.lines, "")), m.notes
}

// requires has each requirement name the module that has the packages now, once.
func (m *modFile) requires() {
	at := map[string]*modfile.Require{}
	for _, r := range m.file.Require {
		at[r.Mod.Path] = r
	}
	for _, r := range m.file.Require {
		now, ok := m.list.modules[r.Mod.Path]
		if !ok {
			continue
		}
		before, twice := at[now]
		if !twice {
			at[now] = r
			m.edit(r.Syntax, r.Mod.Path, now)
			continue
		}
		if before.Indirect && !r.Indirect {
			m.direct(before)
		}
		m.drop(r.Syntax)
	}
}

// replaces does the same with replacements by folders.
func (m *modFile) replaces() {
	at := map[string]bool{}
	for _, r := range m.file.Replace {
		at[r.Old.Path] = true
	}
	for _, r := range m.file.Replace {
		now, ok := m.list.modules[r.Old.Path]
		if !ok {
			continue
		}
		if at[now] {
			m.drop(r.Syntax)
			continue
		}
		at[now] = true
		from, to := strings.TrimPrefix(r.Old.Path, root), strings.TrimPrefix(now, root)
		m.edit(r.Syntax, r.Old.Path, now)
		base, ok := strings.CutSuffix(strings.TrimSuffix(r.New.Path, "/"), "/"+from)
		if !ok || r.New.Version != "" {
			m.notes = append(m.notes, fmt.Sprintf("%s:%d: module %s is in %s now: say what replaces that", m.path, r.Syntax.Start.Line, from, to))
			continue
		}
		m.edit(r.Syntax, r.New.Path, base+"/"+to)
	}
}

// parts has the module that was taken out of a replaced one replaced as well,
// on a line of its own behind that one's.
func (m *modFile) parts() {
	at := map[string]bool{}
	for _, r := range m.file.Replace {
		at[r.Old.Path] = true
	}
	for _, r := range m.file.Replace {
		part, ok := m.list.parts[r.Old.Path]
		if !ok || at[part] {
			continue
		}
		base, ok := strings.CutSuffix(strings.TrimSuffix(r.New.Path, "/"), "/"+strings.TrimPrefix(r.Old.Path, root))
		if !ok || r.New.Version != "" {
			m.notes = append(m.notes, fmt.Sprintf("%s:%d: module %s needs %s now: say what replaces that", m.path, r.Syntax.Start.Line, strings.TrimPrefix(r.Old.Path, root), strings.TrimPrefix(part, root)))
			continue
		}
		whole := &m.lines[r.Syntax.Start.Line-1]
		own, line := *whole, strings.TrimSuffix(*whole, "\n")+"\n"
		*whole = line
		m.edit(r.Syntax, r.Old.Path, part)
		m.edit(r.Syntax, r.New.Path, base+"/"+strings.TrimPrefix(part, root))
		*whole = strings.TrimSuffix(own, "\n") + "\n" + *whole
	}
}

// edit replaces a word of a line.
func (m *modFile) edit(l *modfile.Line, old, now string) {
	line := &m.lines[l.Start.Line-1]
	word := regexp.MustCompile("(^|[\\s\"`])" + regexp.QuoteMeta(old) + "($|[\\s\"`])")
	if at := word.FindStringSubmatchIndex(*line); at != nil {
		*line = (*line)[:at[3]] + now + (*line)[at[4]:]
	}
}

// direct takes the comment off a requirement that the module now uses itself.
func (m *modFile) direct(r *modfile.Require) {
	line := &m.lines[r.Syntax.Start.Line-1]
	*line = strings.Replace(*line, " // indirect", "", 1)
}

// drop takes a line out, and one of two blank lines that would meet.
func (m *modFile) drop(l *modfile.Line) {
	i := l.Start.Line - 1
	m.lines[i] = ""
	blank := func(i int) bool { return i < 0 || i < len(m.lines) && strings.Trim(m.lines[i], "\r") == "\n" }
	before := i - 1
	for before >= 0 && m.lines[before] == "" {
		before--
	}
	if blank(before) && blank(i+1) {
		m.lines[i+1] = ""
	}
}
