package doctor

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// wrapperFields are the members under which log collectors put the original line: Docker, the
// systemd journal, and others.
var wrapperFields = []string{"log", "MESSAGE", "message"}

// fields returns the fields of a line, nil if the line is malformed. The message is the
// field msg.
func fields(line string) map[string]string {
	line = strings.TrimSpace(line)
	if at := strings.Index(line, "{"); at == 0 || at > 0 && strings.HasSuffix(line, "}") && !strings.Contains(line, "msg=") {
		return jsonFields(line[at:], true)
	}
	return textFields(line)
}

// jsonFields returns the members of an object, or the fields of the line that it wraps.
func jsonFields(line string, wrapped bool) map[string]string {
	var members map[string]any
	if json.Unmarshal([]byte(line), &members) != nil {
		return nil
	}
	if _, ours := members["msg"].(string); !ours && wrapped {
		for _, name := range wrapperFields {
			if inner, ok := members[name].(string); ok {
				return fields(inner)
			}
		}
	}
	f := make(map[string]string, len(members))
	for k, v := range members {
		f[k] = fmt.Sprint(v)
	}
	return f
}

func textFields(line string) map[string]string {
	f := map[string]string{}
	var words []string
	for rest := line; rest != ""; rest = strings.TrimLeft(rest, " ") {
		key, value, after, ok := pair(rest)
		if !ok {
			word, more, _ := strings.Cut(rest, " ")
			words, rest = append(words, word), more
			continue
		}
		f[key], rest = value, after
	}
	if f["msg"] == "" { // slog's default handler puts time, level and message first
		f["msg"] = message(words)
	}
	return f
}

// message returns the words after the level.
func message(words []string) string {
	for i, w := range words {
		switch w {
		case "DEBUG", "INFO", "WARN", "ERROR":
			return strings.Join(words[i+1:], " ")
		}
	}
	return ""
}

// pair cuts key=value, or key="value", off the front of s.
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
