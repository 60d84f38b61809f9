package replay

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
)

// Package decisionlog writes keys in a fixed order. Such lines are parsed here; all others,
// valid or not, are left to encoding/json, which takes about ten times as long.

// The beginning of a line with a decision, and what follows its part with the question and
// the answer.
const (
	decisionStart = `{"v":1,"kind":"decision","seq":`
	timeStart     = `,"time":"`
	partEnd       = `},"duration_us":`
)

// maxDigits is the number of decimal digits that always fit into 64 bits.
const maxDigits = 18

// cut returns that part, with the time and the number of the line. If ok is set and
// scanPart accepts the part, the line is valid.
func cut(text []byte) (part []byte, at time.Time, seq uint64, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte(decisionStart))
	if !ok {
		return nil, at, 0, false
	}
	digits := 0
	for digits < len(rest) && '0' <= rest[digits] && rest[digits] <= '9' {
		seq = seq*10 + uint64(rest[digits]-'0')
		digits++
	}
	if digits == 0 || digits > maxDigits || rest[0] == '0' {
		return nil, at, 0, false
	}
	if rest, ok = bytes.CutPrefix(rest[digits:], []byte(timeStart)); !ok {
		return nil, at, 0, false
	}
	when, rest, ok := bytes.Cut(rest, []byte(`",`))
	if !ok || at.UnmarshalText(when) != nil {
		return nil, at, 0, false
	}
	end := bytes.Index(rest, []byte(partEnd))
	if end < 0 || !isTail(rest[end+len(partEnd):]) {
		return nil, at, 0, false
	}
	return rest[:end+1], at, seq, true
}

// tailKeys are the keys after the duration, in order.
var tailKeys = []string{`,"client":`, `,"request_id":`, `,"trace_id":`, `,"cause":`, `,"chain":`}

// isTail reports whether text is a number followed by the rest of a valid line.
func isTail(text []byte) bool {
	n := 0
	if n < len(text) && text[n] == '-' {
		n++
	}
	from := n
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	if n == from || n-from > maxDigits || text[from] == '0' && n > 1 {
		return false
	}
	text = text[n:]
	for _, key := range tailKeys {
		rest, ok := bytes.CutPrefix(text, []byte(key))
		if !ok {
			continue
		}
		end, plain := closingQuote(rest)
		if end < 0 || !plain && !json.Valid(rest[:end+1]) {
			return false
		}
		text = rest[end+1:]
	}
	return len(text) == 1 && text[0] == '}'
}

// closingQuote returns the index at which the string at the beginning of text ends, or -1.
// plain reports that it contains no escapes; it may contain invalid UTF-8.
func closingQuote[T []byte | string](text T) (end int, plain bool) {
	if len(text) == 0 || text[0] != '"' {
		return -1, false
	}
	plain = true
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i, plain
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			return -1, false
		}
	}
	return -1, false
}

// scanner parses a part. After the first unexpected byte, all its methods fail.
type scanner struct {
	rest   string
	failed bool
	begun  bool // the object already has a field
}

// key skips a key if it is next.
func (s *scanner) key(key string) bool {
	rest := s.rest
	if s.begun {
		var comma bool
		if rest, comma = strings.CutPrefix(rest, ","); !comma {
			return false
		}
	}
	rest, ok := strings.CutPrefix(rest, key)
	if ok {
		s.rest, s.begun = rest, true
	}
	return ok
}

// expect skips text, which must be next.
func (s *scanner) expect(text string) {
	var ok bool
	if s.rest, ok = strings.CutPrefix(s.rest, text); !ok {
		s.failed = true
	}
}

func (s *scanner) string() string {
	end, plain := closingQuote(s.rest)
	if end < 0 {
		s.failed = true
		return ""
	}
	text := s.rest[1:end]
	if !plain || !utf8.ValidString(text) {
		var decoded string
		if json.Unmarshal([]byte(s.rest[:end+1]), &decoded) != nil {
			s.failed = true
			return ""
		}
		text = decoded
	}
	s.rest = s.rest[end+1:]
	return text
}

func (s *scanner) text(key string) string {
	if !s.key(key) {
		return ""
	}
	return s.string()
}

func (s *scanner) number(key string) int {
	if !s.key(key) {
		return 0
	}
	n := 0
	for n < len(s.rest) && '0' <= s.rest[n] && s.rest[n] <= '9' {
		n++
	}
	value, err := strconv.Atoi(s.rest[:n])
	if err != nil || s.rest[0] == '0' && n > 1 {
		s.failed = true
	}
	s.rest = s.rest[n:]
	return value
}

// list appends the values of a key, if present.
func (s *scanner) list(to []string, key string) []string {
	if !s.key(key) {
		return to
	}
	s.expect("[")
	for !s.failed {
		to = append(to, s.string())
		if !strings.HasPrefix(s.rest, ",") {
			break
		}
		s.rest = s.rest[1:]
	}
	s.expect("]")
	return to
}

// scanPart parses what cut has found into l, and reuses l's request.
func scanPart(text string, l *line) bool {
	s := scanner{rest: text}
	l.Outcome = core.Outcome(s.text(`"outcome":`))
	s.number(`"status":`)
	l.Reason = core.Reason(s.text(`"reason":`))
	l.Gate = s.text(`"gate":`)
	s.text(`"scheme":`)
	l.Rule = s.text(`"rule":`)
	l.Revision = s.text(`"revision":`)
	if !s.key(`"request":`) {
		return false
	}
	s.expect("{")
	s.begun = false
	r := l.Request
	r.Principal = s.text(`"principal":`)
	r.Tenant = s.text(`"tenant":`)
	r.TokenRoles = s.list(r.TokenRoles[:0], `"token_roles":`)
	r.PolicyRoles = s.list(r.PolicyRoles[:0], `"policy_roles":`)
	r.Method = s.text(`"method":`)
	r.Action = s.text(`"action":`)
	r.Name = s.text(`"name":`)
	r.Route = s.text(`"route":`)
	r.Resource = s.text(`"resource":`)
	r.Folded = s.number(`"folded":`)
	r.Readings = s.number(`"readings":`)
	s.attributes(r.Attributes)
	r.Cut = s.key(`"cut":true`)
	return !s.failed && s.rest == "}"
}

// attributes parses attributes into all, which it clears first.
func (s *scanner) attributes(all map[string]string) {
	clear(all)
	if !s.key(`"attributes":`) {
		return
	}
	s.expect("{")
	for !s.failed {
		name := s.string()
		s.expect(":")
		all[name] = s.string()
		if !strings.HasPrefix(s.rest, ",") {
			break
		}
		s.rest = s.rest[1:]
	}
	s.expect("}")
}
