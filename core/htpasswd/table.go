package htpasswd

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// table is the content of a password file. It is immutable.
type table struct {
	users   map[string]entry // by names in NFC
	decoys  decoys
	memory  uint64 // bytes that one verification may take
	version uint64
}

type entry struct {
	hash      *hash
	principal *core.Principal
}

// reader builds a table and collects what is wrong with the file.
type reader struct {
	name     string
	limits   limits
	table    *table
	first    map[string]written
	findings []error
}

// written is how and where a user stood first.
type written struct {
	user string
	line int
}

func parseTable(name, text string, l limits) (*table, error) {
	r := &reader{name: name, limits: l, table: &table{users: map[string]entry{}}, first: map[string]written{}}
	if rest, marked := strings.CutPrefix(text, "\uFEFF"); marked {
		r.report(1, "begins with a byte order mark: save the file as UTF-8 without one")
		text = rest
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if blank := strings.TrimLeft(line, " \t"); blank == "" || blank[0] == '#' {
			continue
		}
		if err := r.parseLine(n, line); err != nil {
			return nil, err
		}
	}
	if len(r.findings) > 0 {
		return nil, errors.Join(r.findings...)
	}
	if len(r.table.users) == 0 {
		return nil, fmt.Errorf("%s: no user in the file: make a line with %s", name, advice)
	}
	r.table.decoys.fill()
	return r.table, nil
}

func (r *reader) report(line int, format string, args ...any) {
	r.findings = append(r.findings, fmt.Errorf("%s:%d: %s", r.name, line, fmt.Sprintf(format, args...)))
}

// parseLine takes in one line. Without a colon it may be anything, even a password,
// so it is not repeated.
func (r *reader) parseLine(n int, line string) error {
	user, text, found := strings.Cut(line, ":")
	if !found {
		r.report(n, "no colon: a line is user:hash, made with %s", advice)
		return nil
	}
	if err := challenge.CheckUser(user); err != nil {
		r.report(n, "%v", err)
		return nil
	}
	if problem := r.enter(n, user); problem != "" {
		r.report(n, "%s", problem)
		return nil
	}
	h, problem := parseHash(text, r.limits)
	if problem == "" {
		problem = r.table.decoys.add(h)
	}
	if problem != "" {
		r.report(n, "user %q: %s", user, problem)
		return nil
	}
	id := norm.NFC.String(user)
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Scheme: "Basic"})
	if err != nil {
		return fmt.Errorf("%s:%d: %w", r.name, n, err)
	}
	r.table.users[id] = entry{hash: h, principal: p}
	r.table.memory = max(r.table.memory, uint64(h.memory)<<10)
	return nil
}

// enter notes where a user stands, or says where the same one stood before.
func (r *reader) enter(line int, user string) (problem string) {
	id := norm.NFC.String(user)
	before, twice := r.first[id]
	switch {
	case !twice:
		r.first[id] = written{user, line}
		return ""
	case before.user != user:
		return fmt.Sprintf("user %+q is the same as %+q on line %d in Unicode normalization form C: remove one of the two", user, before.user, before.line)
	}
	return fmt.Sprintf("user %q was on line %d before: remove one of the two", user, before.line)
}
