package sessionstore

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

// MaxRecord is the maximum size of a record in bytes: half of what the smallest column of
// the stores holds.
const MaxRecord = 32 << 10

// Identity is the part of a principal that a record stores.
type Identity struct {
	ID       string         `json:"id,omitempty"`
	Scheme   string         `json:"scheme,omitempty"`
	Roles    []string       `json:"roles,omitempty"`
	Scopes   []string       `json:"scopes,omitempty"`
	Tenant   string         `json:"tenant,omitempty"`
	Tenants  []string       `json:"tenants,omitempty"`
	Claims   map[string]any `json:"claims,omitempty"`
	AuthTime time.Time      `json:"auth_time,omitzero"`
}

// NewIdentity returns the identity of p. Roles from a policy are left out, since the policy
// adds them at each request.
func NewIdentity(p *core.Principal) Identity {
	id := Identity{
		ID:       p.ID(),
		Scheme:   p.Scheme(),
		Roles:    slices.Collect(p.CredentialRoles()),
		Scopes:   slices.Collect(p.Scopes()),
		Tenant:   p.Tenant(),
		Tenants:  slices.Collect(p.Tenants()),
		AuthTime: p.AuthTime(),
	}
	for name := range p.Claims() {
		if id.Claims == nil {
			id.Claims = map[string]any{}
		}
		id.Claims[name], _ = p.Claim(name)
	}
	return id
}

// Info returns the information from which a principal is created.
func (id *Identity) Info() core.PrincipalInfo {
	return core.PrincipalInfo{
		ID: id.ID, Scheme: id.Scheme, Roles: id.Roles, Scopes: id.Scopes,
		Tenant: id.Tenant, Tenants: id.Tenants, Claims: id.Claims, AuthTime: id.AuthTime,
	}
}

// RestoreNumbers converts numbers in decoded claims to float64, unless that would change an
// integer.
func (id *Identity) RestoreNumbers() {
	for name, v := range id.Claims {
		id.Claims[name] = withFloats(v)
	}
}

// Encode encodes a record. It rejects claims that are not JSON, records too large for a
// store, and text that is not UTF-8: JSON would make one principal of two.
func Encode(record any) ([]byte, error) {
	data, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("record of principal: %w", err)
	}
	// Only invalid bytes are encoded like this. A backslash in a text is two.
	if bytes.Contains(bytes.ReplaceAll(data, []byte(`\\`), nil), []byte(`\ufffd`)) {
		return nil, errors.New("record of principal: the ID or another text is not UTF-8: convert it where the principal is made")
	}
	if len(data) > MaxRecord {
		return nil, fmt.Errorf("record of %d bytes: must have at most %d: leave claims out of the principal that logs in",
			len(data), MaxRecord)
	}
	return data, nil
}

// Decode decodes the result of Encode into record, with numbers as [json.Number]. Its
// errors contain nothing of the content.
func Decode(data []byte, record any) error {
	if len(data) > MaxRecord {
		return fmt.Errorf("record of %d bytes: must have at most %d", len(data), MaxRecord)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(record); err != nil {
		return errors.New("record is not in the form that was stored")
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("record has data after its end")
	}
	return nil
}

// withFloats returns v, a decoded JSON value, with numbers as float64 unless that would
// change an integer.
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
