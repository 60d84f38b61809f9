package doctor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxLine is how long a line of a log may be.
const maxLine = 1 << 20

// ReadLog counts the lines that core.LogObserver wrote, in the form of slog's JSON
// and text handlers and of its default one. A request that several gates have
// let pass has a line of each, and one that was refused has one of that: allowed
// is what the kind of gate has let pass that let most pass. What is no such line is
// passed over.
func ReadLog(r io.Reader) (*Counts, error) {
	c := &Counts{}
	allowed := map[string]float64{} // by gate
	var last map[string]string      // of a policy
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	for s.Scan() {
		f := fields(s.Text())
		switch {
		case f == nil:
		case isAccess(f):
			c.access(f, allowed)
		case strings.HasPrefix(f["msg"], "policy ") && f["version"] != "":
			last = f
		case strings.HasPrefix(f["msg"], "keys not fetched"):
			c.note(Finding{Plumbing: keys, Seen: "the keys of an issuer were not fetched: " + f["error"], Look: "the address of the key set, from the machine of the service"})
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	if last != nil && (last["outcome"] == "rejected" || last["outcome"] == "failed") {
		c.note(Finding{Plumbing: policy, Seen: last["msg"] + ": " + last["error"], Look: "the file and line that it names; sallyport lint says the same. Revocations of the edit do not count yet"})
	}
	if last != nil && last["outcome"] == "stale" {
		c.note(Finding{Plumbing: dependency, Seen: last["msg"] + ": " + last["error"], Look: storeLook})
	}
	return c, nil
}

// note keeps a finding once.
func (c *Counts) note(f Finding) {
	for _, have := range c.Notes {
		if have.Plumbing == f.Plumbing && have.Look == f.Look {
			return
		}
	}
	c.Notes = append(c.Notes, f)
}

func isAccess(f map[string]string) bool {
	return f["msg"] == "access" && f["outcome"] != "" && f["gate"] != ""
}

func (c *Counts) access(f map[string]string, allowed map[string]float64) {
	switch f["outcome"] {
	case "allowed":
		allowed[f["gate"]]++
		c.Allowed = max(c.Allowed, allowed[f["gate"]])
	case "preflight", "client_gone":
	default:
		c.Add(Kind{f["outcome"], f["reason"]}, 1, f["route"], f["rule"], f["scheme"])
	}
}

// fields are those of a line, nil for a line that has none. The message is msg.
func fields(line string) map[string]string {
	if strings.HasPrefix(strings.TrimSpace(line), "{") {
		var members map[string]any
		if json.Unmarshal([]byte(line), &members) != nil {
			return nil
		}
		f := make(map[string]string, len(members))
		for k, v := range members {
			f[k] = fmt.Sprint(v)
		}
		return f
	}
	f := map[string]string{}
	var words []string
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimLeft(rest, " ") {
		key, value, after, ok := pair(rest)
		if !ok {
			word, more, _ := strings.Cut(rest, " ")
			words, rest = append(words, word), more
			continue
		}
		f[key], rest = value, after
	}
	if f["msg"] == "" { // slog's default handler has time, level and message in front
		f["msg"] = message(words)
	}
	return f
}

// message is what of words stands behind the level.
func message(words []string) string {
	for i, w := range words {
		switch w {
		case "DEBUG", "INFO", "WARN", "ERROR":
			return strings.Join(words[i+1:], " ")
		}
	}
	return ""
}

// pair cuts key=value, or key="value", off s.
func pair(s string) (key, value, rest string, ok bool) {
	end := strings.IndexAny(s, "= \"")
	if end <= 0 || s[end] != '=' {
		return "", "", "", false
	}
	key, s = s[:end], s[end+1:]
	if strings.HasPrefix(s, `"`) {
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", "", "", false
		}
		value, err = strconv.Unquote(quoted)
		return key, value, s[len(quoted):], err == nil
	}
	value, rest, _ = strings.Cut(s, " ")
	return key, value, rest, true
}
