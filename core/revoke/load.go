package revoke

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core/linefile"
)

// maxFileSize is the maximum size of a file in bytes, including expired entries.
const maxFileSize = 64 << 20

// keptLate is how long entries of a file are kept after they have expired, in case the
// clock is ahead when the file is read and set back later.
const keptLate = 24 * time.Hour

// Load replaces the loaded entries with those of a file. Each finding in the error
// begins with "name:line: "; after an error the list is unchanged.
//
// A line is a word that says what is revoked, followed by members:
//
//	jti 3f2a9c01 iss=https://issuer.example exp=2026-11-22T18:00:00Z
//	sub alice issued-before=2026-11-22T08:15:00Z
//	all issued-before=2026-11-22T08:15:00Z iss=https://issuer.example
//
// iss and exp are optional, as in [Entry]. Times are those of RFC 3339. A value
// with a space, a quote or a control character, or one that begins with "#", is
// written in quotes as Go writes strings. Blank lines and lines that begin with "#"
// are skipped, and so are entries that have expired more than a day ago. The file may
// have 64 MiB, and as many unexpired entries as [WithMaxEntries] allows.
//
// An empty file is refused after one with entries, since that is what a file that was
// truncated looks like. A file with nothing but a comment takes all of them back.
func (l *List) Load(name string, data []byte) error {
	if err := l.truncated(name, int64(len(data))); err != nil {
		return err
	}
	if len(data) > maxFileSize {
		return fmt.Errorf("%s: larger than %d bytes: remove the lines that have expired", name, maxFileSize)
	}
	t, now := newTable(), l.forget.forgets()
	var late []Entry // expired lately
	file := linefile.New(name)
	file.Each(string(data), func(n int, line string) {
		e, err := ParseEntry(strings.Clone(line)) // a substring would keep the whole text in memory
		switch {
		case t.size > l.max: // reported
		case err != nil:
			file.Report(n, "%w", err)
		case alive(e.Expires, now):
			if t.add(e); t.size > l.max {
				file.Report(n, "%w: more than %d entries", ErrFull, l.max)
			}
		case alive(e.Expires, now.Add(-keptLate)):
			late = append(late, e)
		}
	})
	if err := file.Err(); err != nil {
		return err
	}
	for _, e := range late[max(0, len(late)-l.max):] { // the newest lines are the last
		t.add(e)
	}
	l.loaded.Store(t)
	return nil
}

// truncated returns an error for a file that has become empty.
func (l *List) truncated(name string, size int64) error {
	if size > 0 || l.loaded.Load().size == 0 {
		return nil
	}
	return fmt.Errorf("%s: the file is empty, and what it revoked stays revoked: if that was to end, leave a line that begins with # in it", name)
}

// ParseEntry parses a line of a file, in the format of [List.Load] and
// [Entry.String].
func ParseEntry(line string) (e Entry, err error) {
	if !utf8.ValidString(line) {
		return e, errors.New("line is not UTF-8")
	}
	s := scanner{rest: line}
	kind := s.word()
	s.skipSpace()
	switch kind {
	case "jti":
		e.ID, err = s.value("the identifier of a token")
	case "sub":
		e.Subject, err = s.value("a subject")
	case "all":
		e.All = true
	default:
		err = fmt.Errorf("%.40q is not one of jti, sub and all", kind)
	}
	if err == nil {
		err = s.members(&e)
	}
	if err == nil {
		err = e.Check()
	}
	return e, err
}

// members parses what follows the value.
func (s *scanner) members(e *Entry) error {
	seen := map[string]bool{}
	for {
		name, more, err := s.name()
		if !more {
			return err
		}
		if seen[name] {
			return fmt.Errorf("%s is given twice", name)
		}
		seen[name] = true
		v, err := s.value(name)
		if err != nil {
			return err
		}
		switch name {
		case "iss":
			e.Issuer = v
		case "exp":
			e.Expires, err = parseTime(name, v)
		case "issued-before":
			e.IssuedBefore, err = parseTime(name, v)
		default:
			err = fmt.Errorf("%.40q is not one of iss, exp and issued-before", name)
		}
		if err != nil {
			return err
		}
	}
}

func parseTime(name, v string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil || t.IsZero() {
		return t, fmt.Errorf("%s is %.40q: write it like 2026-11-22T18:00:00Z", name, v)
	}
	return t, nil
}

// scanner splits a line.
type scanner struct{ rest string }

func (s *scanner) skipSpace() { s.rest = strings.TrimLeft(s.rest, " \t") }

// word returns the text up to the next space.
func (s *scanner) word() string {
	s.skipSpace()
	i := strings.IndexAny(s.rest, " \t")
	if i < 0 {
		i = len(s.rest)
	}
	word := s.rest[:i]
	s.rest = s.rest[i:]
	return word
}

// name returns the name of a member, and skips the "=" after it.
func (s *scanner) name() (name string, ok bool, err error) {
	if s.skipSpace(); s.rest == "" {
		return "", false, nil
	}
	name, after, found := strings.Cut(s.rest, "=")
	if !found || strings.ContainsAny(name, " \t\"") {
		return "", false, fmt.Errorf("%.40q is not a member: want name=value", s.rest)
	}
	s.rest = after
	return name, true, nil
}

// value returns a plain or a quoted value.
func (s *scanner) value(what string) (string, error) {
	if strings.HasPrefix(s.rest, `"`) {
		quoted, err := strconv.QuotedPrefix(s.rest)
		if err != nil {
			return "", fmt.Errorf("%s: the quotes are not closed, or contain a bad escape", what)
		}
		s.rest = s.rest[len(quoted):]
		if s.rest != "" && s.rest[0] != ' ' && s.rest[0] != '\t' {
			return "", fmt.Errorf("%s: text after the closing quote", what)
		}
		v, err := strconv.Unquote(quoted)
		if err != nil || v == "" {
			return "", fmt.Errorf("%s is empty", what)
		}
		return v, nil
	}
	i := strings.IndexAny(s.rest, " \t")
	if i < 0 {
		i = len(s.rest)
	}
	v := s.rest[:i]
	s.rest = s.rest[i:]
	switch {
	case v == "":
		return "", fmt.Errorf("%s is missing", what)
	case strings.ContainsFunc(v, needsQuotes):
		return "", fmt.Errorf("%s contains a quote or a control character: write it in quotes", what)
	}
	return v, nil
}

func needsQuotes(r rune) bool { return r == '"' || !strconv.IsPrint(r) }

// String returns the entry as a line of a file, without the line break.
func (e Entry) String() string {
	var b strings.Builder
	switch {
	case e.ID != "":
		b.WriteString("jti " + quoted(e.ID))
	case e.Subject != "":
		b.WriteString("sub " + quoted(e.Subject))
	default:
		b.WriteString("all")
	}
	if !e.IssuedBefore.IsZero() {
		b.WriteString(" issued-before=" + e.IssuedBefore.UTC().Format(time.RFC3339Nano))
	}
	if e.Issuer != "" {
		b.WriteString(" iss=" + quoted(e.Issuer))
	}
	if !e.Expires.IsZero() {
		b.WriteString(" exp=" + e.Expires.UTC().Format(time.RFC3339Nano))
	}
	return b.String()
}

// quoted returns s as written in a line.
func quoted(s string) string {
	if s[0] == '#' || strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || needsQuotes(r) }) || !utf8.ValidString(s) {
		return strconv.Quote(s)
	}
	return s
}
