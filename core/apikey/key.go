package apikey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
)

// maxText is the maximum length in bytes of an owner, a role, a tenant and the
// like.
const maxText = 255

// Info describes a key, without its secret; [NewKey] makes a key from it. Times are
// kept in whole seconds and must be in the years 1970 to 9999.
type Info struct {
	// ID is the ID that [Generate] returned. It is required.
	ID string
	// Hash is the hash of the whole key. It is required.
	Hash Hash
	// Owner is the ID of the principal that the key stands for, a person or a
	// program. It is required.
	Owner string
	// Roles and Scopes are granted by the key, in addition to the roles that a
	// policy gives its owner. A scope is a scope-token of RFC 6749 §3.3; no name
	// contains a comma.
	Roles, Scopes []string
	// Tenant is the tenant the key is for, or "".
	Tenant string
	// Comment says what the key is for, for human readers.
	Comment string
	// Created is when the key was created; zero if unknown.
	Created time.Time
	// Expires is when the key expires; zero for never.
	Expires time.Time
	// Revoked is when the key was revoked; zero if it was not. It takes effect at
	// once, even if it lies in the future.
	Revoked time.Time
	// RevokedReason says why, for human readers.
	RevokedReason string
}

// Key is one key. It is immutable and safe for concurrent use.
type Key struct {
	info      Info
	principal *core.Principal
}

// NewKey returns a key. Errors name the missing or invalid field and what to do.
func NewKey(info Info) (*Key, error) {
	if err := info.check(); err != nil {
		return nil, err
	}
	info = info.clone()
	for _, t := range []*time.Time{&info.Created, &info.Expires, &info.Revoked} {
		*t = t.UTC().Truncate(time.Second)
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{
		ID: info.Owner, Roles: info.Roles, Scopes: info.Scopes, Tenant: info.Tenant,
		Claims: map[string]any{ClaimID: info.ID}, Expires: info.Expires,
	})
	if err != nil {
		return nil, err
	}
	return &Key{info, p}, nil
}

// Info returns a copy of the key's description.
func (k *Key) Info() Info { return k.info.clone() }

// Expired reports whether the key has expired at now.
func (k *Key) Expired(now time.Time) bool {
	return !k.info.Expires.IsZero() && !now.Before(k.info.Expires)
}

func (i Info) clone() Info {
	i.Roles, i.Scopes = slices.Clone(i.Roles), slices.Clone(i.Scopes)
	return i
}

func (i *Info) check() error {
	switch {
	case !IsID(i.ID):
		return errors.New("the ID must be sp_ and ten letters: make keys with sallyport apikey new")
	case i.Hash == Hash{}:
		return errors.New("the hash is missing")
	case i.Owner == "":
		return errors.New("the owner is missing: name the principal that the key stands for")
	case i.Revoked.IsZero() && i.RevokedReason != "":
		return errors.New("a revocation reason without a revocation time")
	}
	if err := checkList("role", i.Roles, checkText); err != nil {
		return err
	}
	if err := checkList("scope", i.Scopes, checkScope); err != nil {
		return err
	}
	for _, f := range []struct {
		name, value string
		check       func(string) error
	}{
		{"owner", i.Owner, checkText}, {"tenant", i.Tenant, checkText},
		{"comment", i.Comment, checkRemark}, {"reason", i.RevokedReason, checkRemark},
	} {
		if f.value == "" {
			continue
		}
		if err := f.check(f.value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for _, t := range []time.Time{i.Created, i.Expires, i.Revoked} {
		if err := checkTime(t); err != nil && !t.IsZero() {
			return err
		}
	}
	return nil
}

// checkTime checks a time unless it is zero.
func checkTime(t time.Time) error {
	if year := t.UTC().Year(); year < 1970 || year > 9999 {
		return fmt.Errorf("year %d: must be from 1970 to 9999", year)
	}
	return nil
}

// checkList checks the names of a list, which must not contain duplicates.
func checkList(what string, names []string, check func(string) error) error {
	for i, name := range names {
		switch err := check(name); {
		case err != nil:
			return fmt.Errorf("%s %d: %w", what, i+1, err)
		case strings.Contains(name, ","):
			return fmt.Errorf("%s %d: contains a comma, which separates %ss", what, i+1, what)
		case slices.Contains(names[:i], name):
			return fmt.Errorf("%s %d: is given twice", what, i+1)
		}
	}
	return nil
}

// checkText checks a name that is used in comparisons. Errors do not quote it: by
// mistake it may be a secret.
func checkText(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	if strings.HasPrefix(s, "#") || strings.Contains(s, " #") {
		return errors.New("contains a #: put comments on lines of their own")
	}
	return checkRemark(s)
}

// checkRemark checks text for human readers.
func checkRemark(s string) error {
	switch {
	case len(s) > maxText:
		return fmt.Errorf("has %d bytes: must have at most %d", len(s), maxText)
	case !utf8.ValidString(s):
		return errors.New("is not valid UTF-8")
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("contains an invisible character")
	case strings.TrimSpace(s) != s:
		return errors.New("begins or ends with a space")
	case strings.Contains(s, Prefix) && holdsKey(s):
		return errors.New("contains a key: keep keys out of files, revoke it, and make another")
	}
	return nil
}

// holdsKey reports whether s contains a key.
func holdsKey(s string) bool {
	for i := 0; i+keyBytes <= len(s); i++ {
		if isKey(s[i : i+keyBytes]) {
			return true
		}
	}
	return false
}

// checkScope checks a scope-token (RFC 6749 §3.3).
func checkScope(s string) error {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return errors.New("a scope must be printable ASCII without spaces, quotes and backslashes")
		}
	}
	return checkText(s)
}

// stamp formats a time as in key files.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
