package apikey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
	"github.com/sallyport-go/sallyport/core/linefile"
)

// fieldNames lists the names of fields in the order in which they are written.
var fieldNames = []string{"hash", "owner", "roles", "scopes", "tenant", "comment", "created", "expires", "revoked"}

// table is the content of a key file. It is immutable.
type table struct {
	keys []*Key
	byID map[string]*Key
	// last is the number of the last line of each key.
	last map[string]int
}

// parser builds a table.
type parser struct {
	file  *linefile.Reader
	table *table
	first map[string]int // line on which a key begins

	info   Info
	line   int            // on which the current key begins; 0 for none
	fields map[string]int // lines of the fields of the current key
	broken bool           // the current key has a finding
}

func parseTable(name string, data []byte) (*table, error) {
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("%s: larger than %d bytes: keep this many keys in a database", name, MaxFileBytes)
	}
	p := &parser{file: linefile.New(name), first: map[string]int{}, table: &table{byID: map[string]*Key{}, last: map[string]int{}}}
	p.file.Each(string(data), func(n int, line string) { p.parseLine(n, strings.Trim(line, " \t\r")) })
	p.finish()
	if err := p.file.Err(); err != nil {
		return nil, err
	}
	return p.table, nil
}

func (p *parser) report(line int, format string, args ...any) {
	p.broken = true
	p.file.Report(line, format, args...)
}

// parseLine parses one line. Text that it cannot parse may be anything, even a key,
// so it is not quoted.
func (p *parser) parseLine(n int, line string) {
	if line[0] == '[' {
		p.begin(n, line)
		return
	}
	name, value, found := strings.Cut(line, "=")
	name, value = strings.TrimRight(name, " \t"), strings.TrimLeft(value, " \t")
	switch {
	case !found:
		p.report(n, "no equals sign: a line is name = value, [ID] or a comment")
	case !slices.Contains(fieldNames, name):
		p.report(n, "%sis not a field name: use one of %s", quoted(name), strings.Join(fieldNames, ", "))
	case p.line == 0:
		p.report(n, "%s is before the first [ID]", name)
	case p.fields[name] > 0:
		p.report(n, "%s is already on line %d: remove one of the two", name, p.fields[name])
	default:
		p.fields[name] = n
		if err := p.info.set(name, value); err != nil {
			p.report(n, "%s: %v", name, err)
		}
	}
}

// quoted returns a short word quoted for a finding, or "" for one that may be a
// secret.
func quoted(word string) string {
	if len(word) > 12 || !ascii.Only(word, "-_") {
		return "this "
	}
	return fmt.Sprintf("%q ", word)
}

// begin parses the line that begins a key.
func (p *parser) begin(n int, line string) {
	p.finish()
	p.info, p.line, p.fields, p.broken = Info{}, n, map[string]int{}, false
	id, closed := strings.CutSuffix(line[1:], "]")
	switch {
	case !closed:
		p.report(n, "no ] at the end of the line: a key begins with [ID]")
	case !IsID(id):
		p.report(n, "no ID in the brackets: it is the part of a key before the dot, sp_ and ten letters")
	case p.first[id] > 0:
		p.report(n, "%s is already on line %d: remove one of the two", id, p.first[id])
	default:
		p.first[id], p.info.ID = n, id
	}
}

// finish adds the current key to the table, if its lines were all valid.
func (p *parser) finish() {
	if p.line == 0 || p.broken {
		return
	}
	key, err := NewKey(p.info)
	if err != nil {
		p.report(p.line, "%s: %v", p.info.ID, err)
		return
	}
	last := p.line
	for _, n := range p.fields {
		last = max(last, n)
	}
	p.table.keys = append(p.table.keys, key)
	p.table.byID[p.info.ID], p.table.last[p.info.ID] = key, last
}

// set sets the value of one field.
func (i *Info) set(name, value string) (err error) {
	if value == "" {
		return errors.New("is empty: remove the line")
	}
	switch name {
	case "hash":
		i.Hash, err = ParseHash(value)
	case "owner":
		i.Owner, err = value, checkText(value)
	case "roles":
		i.Roles = splitList(value)
		err = checkList("role", i.Roles, checkText)
	case "scopes":
		i.Scopes = splitList(value)
		err = checkList("scope", i.Scopes, checkScope)
	case "tenant":
		i.Tenant, err = value, checkText(value)
	case "comment":
		i.Comment, err = value, checkRemark(value)
	case "created":
		i.Created, err = parseTime(value)
	case "expires":
		i.Expires, err = parseTime(value)
	case "revoked":
		at, reason, _ := strings.Cut(value, " ")
		if i.Revoked, err = parseTime(at); err == nil {
			i.RevokedReason = strings.TrimLeft(reason, " ")
			err = checkRemark(i.RevokedReason)
		}
	}
	return err
}

func splitList(value string) []string {
	names := strings.Split(value, ",")
	for i := range names {
		names[i] = strings.Trim(names[i], " \t")
	}
	return names
}

// parseTime parses a time of RFC 3339.
func parseTime(value string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return time.Time{}, errors.New("is not a time such as 2027-01-31T00:00:00Z")
	}
	return t.UTC(), checkTime(t)
}
