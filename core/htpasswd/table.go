package htpasswd

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/linefile"
)

// table is the content of a password file. It is immutable.
type table struct {
	users   map[string]entry // by names in NFC
	decoys  decoys
	memory  uint64 // bytes that one verification may use
	version uint64
}

type entry struct {
	hash      *hash
	principal *core.Principal
}

// reader builds a table.
type reader struct {
	limits limits
	table  *table
	first  map[string]written
}

// written is the first spelling and line of a user.
type written struct {
	user string
	line int
}

func parseTable(name, text string, l limits) (*table, error) {
	r := &reader{limits: l, table: &table{users: map[string]entry{}}, first: map[string]written{}}
	file := linefile.New(name)
	file.Each(text, func(n int, line string) {
		if problem := r.parseLine(n, line); problem != "" {
			file.Report(n, "%s", problem)
		}
	})
	if err := file.Err(); err != nil {
		return nil, err
	}
	if len(r.table.users) == 0 {
		return nil, fmt.Errorf("%s: no user in the file: make a line with %s", name, advice)
	}
	r.table.decoys.fill()
	return r.table, nil
}

// parseLine parses one line, or returns what is wrong with it. A line without a
// colon may be anything, even a password, so it is not quoted.
func (r *reader) parseLine(n int, line string) (problem string) {
	user, text, found := strings.Cut(line, ":")
	if !found {
		return "no colon: a line is user:hash, made with " + advice
	}
	if err := challenge.CheckUser(user); err != nil {
		return err.Error()
	}
	if problem := r.enter(n, user); problem != "" {
		return problem
	}
	h, problem := parseHash(text, r.limits)
	if problem == "" {
		problem = r.table.decoys.add(h)
	}
	if problem != "" {
		return fmt.Sprintf("user %q: %s", user, problem)
	}
	id := norm.NFC.String(user)
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Scheme: "Basic"})
	if err != nil {
		return err.Error()
	}
	r.table.users[id] = entry{hash: h, principal: p}
	r.table.memory = max(r.table.memory, uint64(h.memory)<<10)
	return ""
}

// enter records the line of a user, or returns where the user occurred before.
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
	return fmt.Sprintf("user %q is already on line %d: remove one of the two", user, before.line)
}
