package decisionlog

import (
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
)

// maxText is how many bytes of one text are written, maxRoles how many roles.
const (
	maxText  = 8192
	maxRoles = 1024
)

// encoder appends the fields of an object. Empty fields are omitted.
type encoder struct {
	b    []byte
	cut  bool                          // some text was too long
	each func(name, value string) bool // writes an attribute; allocated once
}

// key begins a field. Only this package's own words are keys.
func (e *encoder) key(key string) {
	if last := e.b[len(e.b)-1]; last != '{' {
		e.b = append(e.b, ',')
	}
	e.b = append(append(append(e.b, '"'), key...), '"', ':')
}

func (e *encoder) text(key, value string) {
	if value != "" {
		e.key(key)
		e.string(value)
	}
}

func (e *encoder) number(key string, n int64) {
	e.key(key)
	e.b = strconv.AppendInt(e.b, n, 10)
}

func (e *encoder) list(key string, values iter.Seq[string]) {
	n := 0
	for v := range values {
		if n == maxRoles {
			e.cut = true
			break
		}
		if n == 0 {
			e.key(key)
			e.b = append(e.b, '[')
		} else {
			e.b = append(e.b, ',')
		}
		e.string(v)
		n++
	}
	if n > 0 {
		e.b = append(e.b, ']')
	}
}

const hexDigits = "0123456789abcdef"

// string appends a JSON string (RFC 8259 §7). Unprintable characters are escaped, so
// that no client can change what a terminal shows.
func (e *encoder) string(s string) {
	if len(s) > maxText {
		s, e.cut = s[:maxText], true
	}
	e.b = append(e.b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c <= '~' && c != '"' && c != '\\' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			i += n
			continue
		}
		e.b = append(e.b, s[from:i]...)
		switch {
		case c == '"' || c == '\\':
			e.b = append(e.b, '\\', c)
		case r > 0xffff:
			r -= 0x10000
			e.unit(0xd800 + r>>10)
			e.unit(0xdc00 + r&0x3ff)
		default:
			e.unit(r)
		}
		i += n
		from = i
	}
	e.b = append(append(e.b, s[from:]...), '"')
}

// unit appends one UTF-16 code unit.
func (e *encoder) unit(u rune) {
	e.b = append(e.b, '\\', 'u', hexDigits[u>>12&15], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

// begin begins a line of a kind.
func (e *encoder) begin(kind string, seq uint64, at time.Time) {
	e.b = append(e.b, `{"v":1,"kind":"`...)
	e.b = append(append(e.b, kind...), `","seq":`...)
	e.b = strconv.AppendUint(e.b, seq, 10)
	e.b = append(e.b, `,"time":"`...)
	e.b = append(at.UTC().AppendFormat(e.b, time.RFC3339Nano), '"')
}

// decision appends the fields of an event. Those from "outcome" to the end of
// "request" are adjacent and contain everything that a replay needs, so that equal
// requests have equal bytes there; duration_us always follows.
func (e *encoder) decision(ev *core.Event) {
	e.text("outcome", string(ev.Outcome))
	e.number("status", int64(ev.Status))
	e.text("reason", string(ev.Reason))
	e.text("gate", ev.Gate)
	e.text("scheme", ev.Scheme)
	e.text("rule", ev.Rule)
	e.text("revision", ev.Revision)
	e.request(ev)
	e.number("duration_us", ev.Duration.Microseconds())
	e.text("client", ev.ClientAddr())
	e.text("request_id", ev.RequestID)
	e.text("trace_id", ev.TraceID)
	if ev.Cause != nil {
		e.text("cause", causeText(ev.Cause))
	}
}

func (e *encoder) request(ev *core.Event) {
	e.key("request")
	e.b = append(e.b, '{')
	e.cut = false
	e.text("principal", ev.PrincipalID)
	e.text("tenant", ev.Tenant())
	e.list("token_roles", ev.CredentialRoles())
	e.list("policy_roles", ev.AddedRoles())
	e.key("method")
	e.string(ev.Method)
	e.text("action", ev.Action)
	e.text("name", ev.ResourceName)
	e.text("route", ev.Route)
	e.text("resource", ev.Resource)
	if n := ev.FoldedBytes(); n > 0 {
		e.number("folded", int64(n))
	}
	if n := ev.OtherReadings(); n > 0 {
		e.number("readings", int64(n))
	}
	e.attributes(ev)
	if e.cut {
		e.b = append(e.b, `,"cut":true`...)
	}
	e.b = append(e.b, '}')
}

// attributes appends a field with all attributes, if there are any.
func (e *encoder) attributes(ev *core.Event) {
	from := len(e.b)
	e.key("attributes")
	e.b = append(e.b, '{')
	if e.each == nil {
		e.each = e.attribute
	}
	if ev.Attributes()(e.each); e.b[len(e.b)-1] == '{' {
		e.b = e.b[:from]
		return
	}
	e.b = append(e.b, '}')
}

func (e *encoder) attribute(name, value string) bool {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
	e.string(name)
	e.b = append(e.b, ':')
	e.string(value)
	return true
}

// causeText returns the text of an error, even if its method panics.
func causeText(err error) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("the error's text is not available: %T", err)
		}
	}()
	return err.Error()
}

// object appends a field that only some lines have.
func (e *encoder) object(key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	e.key(key)
	e.b = append(e.b, text...)
	return nil
}
