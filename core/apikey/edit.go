package apikey

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Append returns the content of a key file with one more key at its end and
// everything else unchanged. data may be empty, for a new file.
//
// It returns the error of [File.Load] for a file that Load would refuse, and an
// error for a key whose ID is in the file already or that [NewKey] refuses.
func Append(name string, data []byte, info Info) ([]byte, error) {
	t, err := parseTable(name, data)
	if err != nil {
		return nil, err
	}
	key, err := NewKey(info)
	if err != nil {
		return nil, fmt.Errorf("apikey: %w", err)
	}
	if _, twice := t.byID[info.ID]; twice {
		return nil, fmt.Errorf("apikey: %s already has key %s", name, info.ID)
	}
	out := bytes.Clone(data)
	if len(out) > 0 {
		if out[len(out)-1] != '\n' {
			out = append(out, '\n')
		}
		out = append(out, '\n')
	}
	return append(out, key.info.section()...), nil
}

// Revoke returns the content of a key file in which the keys with the given IDs are
// revoked, by one more line after the last line of each. Keys that are revoked
// already are unchanged.
//
// It returns the error of [File.Load] for a file that Load would refuse. For an ID
// that is not in the file it returns [ErrUnknownKey] and revokes none. The reason
// may be "" and must be one printable line.
func Revoke(name string, data []byte, at time.Time, reason string, ids ...string) ([]byte, error) {
	t, err := parseTable(name, data)
	if err != nil {
		return nil, err
	}
	value := stamp(at)
	if reason != "" {
		value += " " + reason
	}
	if err := checkTime(at); err != nil {
		return nil, fmt.Errorf("apikey: revoke: %w", err)
	}
	if err := checkRemark(reason); err != nil {
		return nil, fmt.Errorf("apikey: revoke: reason: %w", err)
	}
	after := map[int]bool{} // lines after which a key is to be revoked
	for _, id := range ids {
		key, known := t.byID[id]
		if !known {
			return nil, fmt.Errorf("apikey: %s: %w: %q", name, ErrUnknownKey, id)
		}
		if key.info.Revoked.IsZero() {
			after[t.last[id]] = true
		}
	}
	var out bytes.Buffer
	n := 0
	for line := range bytes.Lines(data) {
		n++
		out.Write(line)
		if !after[n] {
			continue
		}
		end := "\n"
		if bytes.HasSuffix(line, []byte("\r\n")) {
			end = "\r\n"
		}
		if !bytes.HasSuffix(line, []byte("\n")) {
			out.WriteString(end)
		}
		out.WriteString("revoked = " + value + end)
	}
	return out.Bytes(), nil
}

// section returns the key in the format of a key file.
func (i *Info) section() string {
	values := map[string]string{
		"hash": i.Hash.String(), "owner": i.Owner, "tenant": i.Tenant, "comment": i.Comment,
		"roles": strings.Join(i.Roles, ", "), "scopes": strings.Join(i.Scopes, ", "),
	}
	for name, t := range map[string]time.Time{"created": i.Created, "expires": i.Expires, "revoked": i.Revoked} {
		if !t.IsZero() {
			values[name] = stamp(t)
		}
	}
	if i.RevokedReason != "" {
		values["revoked"] += " " + i.RevokedReason
	}
	var b strings.Builder
	b.WriteString("[" + i.ID + "]\n")
	for _, name := range fieldNames {
		if values[name] != "" {
			b.WriteString(name + " = " + values[name] + "\n")
		}
	}
	return b.String()
}
