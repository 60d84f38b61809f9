package htpasswd

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
)

// maxUser bounds the bytes of a user name.
const maxUser = 255

// table is the content of a password file. It is immutable.
type table struct {
	users map[string]entry
	// top is the highest cost in the file, which every failed verification
	// costs.
	top int
	// decoys has a hash of each cost from the lowest in use to top, to spend
	// work on; what they are compared with and with what result means nothing.
	decoys [maxCost + 1][]byte
}

type entry struct {
	hash      []byte
	cost      int
	principal *core.Principal
}

// reader builds a table and collects what is wrong with the file.
type reader struct {
	name     string
	minCost  int
	table    *table
	first    map[string]int // line on which a user stood first
	findings []error
}

func parseTable(name, text string, minCost int) (*table, error) {
	r := &reader{name: name, minCost: minCost, table: &table{users: map[string]entry{}}, first: map[string]int{}}
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
		if err := r.read(n, line); err != nil {
			return nil, err
		}
	}
	if len(r.findings) > 0 {
		return nil, errors.Join(r.findings...)
	}
	if len(r.table.users) == 0 {
		return nil, fmt.Errorf("%s: no user in the file: make a line with %s", name, advice)
	}
	r.table.addDecoys()
	return r.table, nil
}

func (r *reader) report(line int, format string, args ...any) {
	r.findings = append(r.findings, fmt.Errorf("%s:%d: %s", r.name, line, fmt.Sprintf(format, args...)))
}

// read takes in one line. Without a colon it may be anything, even a password,
// so it is not repeated.
func (r *reader) read(n int, line string) error {
	user, hash, found := strings.Cut(line, ":")
	if !found {
		r.report(n, "no colon: a line is user:hash, made with %s", advice)
		return nil
	}
	if problem := checkUser(user); problem != "" {
		r.report(n, "%s", problem)
		return nil
	}
	if first, twice := r.first[user]; twice {
		r.report(n, "user %q was on line %d before: remove one of the two", user, first)
		return nil
	}
	r.first[user] = n
	cost, problem := checkHash(hash, r.minCost)
	if problem != "" {
		r.report(n, "user %q: %s", user, problem)
		return nil
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: user, Scheme: "Basic"})
	if err != nil {
		return fmt.Errorf("%s:%d: %w", r.name, n, err)
	}
	r.table.users[user] = entry{hash: []byte(hash), cost: cost, principal: p}
	return nil
}

// checkUser says what keeps a user from ever signing in, or "".
func checkUser(user string) string {
	switch {
	case user == "":
		return "empty user: a line is user:hash"
	case len(user) > maxUser:
		return fmt.Sprintf("user of %d bytes: at most %d", len(user), maxUser)
	case !utf8.ValidString(user):
		return fmt.Sprintf("user %q is not valid UTF-8: save the file as UTF-8", user)
	case strings.ContainsFunc(user, unicode.IsControl):
		return fmt.Sprintf("user %q holds a control character, which no client can send", user)
	case strings.TrimSpace(user) != user:
		return fmt.Sprintf("user %q begins or ends with a space: remove it", user)
	}
	return ""
}

// addDecoys makes a hash of each cost out of one with the highest. Only the
// cost is changed, so they are as real as the users' own and cost as much.
func (t *table) addDecoys() {
	lowest := maxCost
	var model []byte
	for _, e := range t.users {
		lowest = min(lowest, e.cost)
		if e.cost > t.top {
			t.top, model = e.cost, e.hash
		}
	}
	for cost := lowest; cost <= t.top; cost++ {
		t.decoys[cost] = withCost(model, cost)
	}
}
