package session

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/sessionstore"
)

// recordVersion tells later record formats apart.
const recordVersion = 1

// record is a session as it is in the store. It is written once.
type record struct {
	Version int `json:"v"`
	// Replaced marks what is left of a session for a while after its id was
	// replaced. All other fields are then empty, except Next: the key of the
	// session that a logout of this one also ends.
	Replaced bool `json:"replaced,omitempty"`
	Next     key  `json:"next,omitempty"`

	sessionstore.Identity

	// LoggedIn is when the session began, Issued when the id was created, Deadline
	// when the session ends.
	LoggedIn time.Time `json:"logged_in,omitzero"`
	Issued   time.Time `json:"issued,omitzero"`
	Deadline time.Time `json:"deadline,omitzero"`
	// Generation is the principal's generation at login; if it differs now, the
	// principal was logged out everywhere.
	Generation string `json:"generation,omitempty"`
	// Groups holds the groups the session was put into, each with its generation at
	// that time.
	Groups map[key]string `json:"groups,omitempty"`
}

// newRecord returns the record of a session of p.
func newRecord(p *core.Principal) record {
	rec := record{Version: recordVersion, Identity: sessionstore.NewIdentity(p)}
	if rec.Scheme == schemeName { // a login from a session: the claim has the original scheme
		rec.Scheme, _ = rec.Claims[ClaimLoginScheme].(string)
	}
	delete(rec.Claims, ClaimLoginScheme) // whatever a token says of itself by that name
	return rec
}

// principal returns the principal that the session belongs to.
func (rec *record) principal() (*core.Principal, error) {
	claims := rec.Claims
	if rec.Scheme != "" {
		if claims == nil {
			claims = map[string]any{}
		}
		claims[ClaimLoginScheme] = rec.Scheme
	}
	info := rec.Info()
	info.Scheme, info.Claims, info.Expires = schemeName, claims, rec.Deadline
	p, err := core.NewPrincipal(info)
	if err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("session: %w", err)}
	}
	return p, nil
}

// encode returns the record as bytes. It refuses claims that are not JSON, and
// records too large for a store.
func (rec *record) encode() ([]byte, error) {
	data, err := sessionstore.Encode(rec)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return data, nil
}

// decode decodes a record. Its errors do not quote the content.
func decode(data []byte) (record, error) {
	var rec record
	if err := sessionstore.Decode(data, &rec); err != nil {
		return record{}, fmt.Errorf("session: %w", err)
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
	rec.RestoreNumbers()
	return rec, nil
}
