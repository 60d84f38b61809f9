package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// maxRecord is how many bytes a record may have: half of what the smallest
// column of the stores holds.
const maxRecord = 32 << 10

// recordVersion tells records of later forms apart.
const recordVersion = 1

// record is a session as it is in the store. It is written once.
type record struct {
	Version int `json:"v"`
	// Replaced marks what is left of a session for a while after its id was
	// exchanged; the rest is empty then, save Next: where the session is that a
	// logout ends with this one.
	Replaced bool `json:"replaced,omitempty"`
	Next     key  `json:"next,omitempty"`

	ID       string         `json:"id,omitempty"`
	Scheme   string         `json:"scheme,omitempty"`
	Roles    []string       `json:"roles,omitempty"`
	Scopes   []string       `json:"scopes,omitempty"`
	Tenant   string         `json:"tenant,omitempty"`
	Tenants  []string       `json:"tenants,omitempty"`
	Claims   map[string]any `json:"claims,omitempty"`
	AuthTime time.Time      `json:"auth_time,omitzero"`

	// Issued is when the id was made, Deadline when the session ends.
	Issued   time.Time `json:"issued,omitzero"`
	Deadline time.Time `json:"deadline,omitzero"`
	// Generation is the principal's when it logged in; another one now means
	// that it was logged out everywhere.
	Generation string `json:"generation,omitempty"`
}

// newRecord is a session of p. Roles that a policy gives are left out, since
// the policy gives them anew at each request.
func newRecord(p *core.Principal) record {
	rec := record{
		Version:  recordVersion,
		ID:       p.ID(),
		Scheme:   p.Scheme(),
		Roles:    slices.Collect(p.CredentialRoles()),
		Scopes:   slices.Collect(p.Scopes()),
		Tenant:   p.Tenant(),
		Tenants:  slices.Collect(p.Tenants()),
		AuthTime: p.AuthTime(),
	}
	if rec.Scheme == schemeName { // a login from a session; the claim has what is known
		rec.Scheme = ""
	}
	for name := range p.Claims() {
		if rec.Claims == nil {
			rec.Claims = map[string]any{}
		}
		rec.Claims[name], _ = p.Claim(name)
	}
	return rec
}

// principal is who the session belongs to.
func (rec *record) principal() (*core.Principal, error) {
	claims := rec.Claims
	if _, given := claims[ClaimLoginScheme]; !given && rec.Scheme != "" {
		if claims == nil {
			claims = map[string]any{}
		}
		claims[ClaimLoginScheme] = rec.Scheme
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{
		ID:       rec.ID,
		Scheme:   schemeName,
		Roles:    rec.Roles,
		Scopes:   rec.Scopes,
		Tenant:   rec.Tenant,
		Tenants:  rec.Tenants,
		Claims:   claims,
		AuthTime: rec.AuthTime,
		Expires:  rec.Deadline,
	})
	if err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("session: %w", err)}
	}
	return p, nil
}

// encode is the record as bytes. It refuses claims that are no JSON, and what is
// too large for a store.
func (rec *record) encode() ([]byte, error) {
	data, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("session: record of principal: %w", err)
	}
	if len(data) > maxRecord {
		return nil, fmt.Errorf("session: record of %d bytes: must have at most %d: leave claims out of the principal that logs in",
			len(data), maxRecord)
	}
	return data, nil
}

// decode reads what encode made. Nothing of the content is in its errors.
func decode(data []byte) (record, error) {
	var rec record
	if len(data) > maxRecord {
		return rec, fmt.Errorf("session: record of %d bytes: must have at most %d", len(data), maxRecord)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&rec); err != nil {
		return record{}, errors.New("session: record is not in the form that was stored")
	}
	if _, err := d.Token(); err != io.EOF {
		return record{}, errors.New("session: record has data behind its end")
	}
	switch {
	case rec.Version != recordVersion:
		return record{}, fmt.Errorf("session: record of version %d, this program reads %d", rec.Version, recordVersion)
	case rec.Replaced:
		return record{Version: recordVersion, Replaced: true, Next: rec.Next}, nil
	case rec.ID == "":
		return record{}, errors.New("session: record without a principal")
	case rec.Issued.IsZero() || !rec.Issued.Before(rec.Deadline):
		return record{}, errors.New("session: record ends before it begins")
	}
	for name, v := range rec.Claims {
		rec.Claims[name] = withFloats(v)
	}
	return rec, nil
}

// withFloats is v, a decoded JSON value, with numbers as float64 where that
// changes no integer into another.
func withFloats(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			v[name] = withFloats(e)
		}
	case []any:
		for i, e := range v {
			v[i] = withFloats(e)
		}
	case json.Number:
		f, err := v.Float64()
		isInteger := !strings.ContainsAny(v.String(), ".eE")
		if err != nil || isInteger && strconv.FormatFloat(f, 'f', -1, 64) != v.String() {
			return v
		}
		return f
	}
	return v
}
