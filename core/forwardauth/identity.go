package forwardauth

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// Identity names the header fields that tell the application about the principal; a
// field without a name is not sent.
//
// Every response that lets a request pass has all of them, even if empty, so that a
// proxy that copies them overwrites what the client sent. Bytes outside visible
// ASCII, and each of % , ; " and \ are percent-encoded. Roles and scopes are
// separated by commas: split first, then decode.
type Identity struct {
	// User is the field for the principal's ID.
	User string
	// Roles is the field for all its roles, including those of a policy.
	Roles string
	// Scopes is the field for its scopes.
	Scopes string
	// Tenant is the field for its tenant.
	Tenant string
}

var defaultIdentity = Identity{User: "X-Auth-User", Roles: "X-Auth-Roles", Scopes: "X-Auth-Scopes", Tenant: "X-Auth-Tenant"}

// WithIdentity sets the fields that describe the principal. They are X-Auth-User,
// X-Auth-Roles, X-Auth-Scopes and X-Auth-Tenant by default. Names consist of
// letters, digits and hyphens, so that no proxy or gateway confuses two of them.
func WithIdentity(fields Identity) Option {
	return func(s *Service) error {
		if fields.User == "" {
			return errors.New("identity: no field for the user: the application could not tell who the user is")
		}
		seen := map[string]bool{}
		for _, name := range []string{fields.User, fields.Roles, fields.Scopes, fields.Tenant} {
			switch lower := strings.ToLower(name); {
			case name == "":
				continue
			case !ascii.Only(name, "-") || name[0] == '-':
				return fmt.Errorf("identity: %q: use letters, digits and hyphens", name)
			case reserved[lower]:
				return fmt.Errorf("identity: %q already has a meaning: use a name such as X-Auth-User", name)
			case seen[lower]:
				return fmt.Errorf("identity: %q is given twice", name)
			default:
				seen[lower] = true
			}
		}
		s.identity = fields
		return nil
	}
}

// reserved lists fields whose replacement would change how the message is parsed or
// what it means.
var reserved = map[string]bool{
	"authorization": true, "cache-control": true, "connection": true, "content-length": true, "content-type": true,
	"cookie": true, "host": true, "keep-alive": true, "proxy-authorization": true, "set-cookie": true, "te": true,
	"trailer": true, "transfer-encoding": true, "upgrade": true, "vary": true, "www-authenticate": true,
	strings.ToLower(AnswerField): true,
}

// fields returns the fields that describe p, which may be nil.
func (id *Identity) fields(p *core.Principal) []core.Field {
	var user, roles, scopes, tenant string
	if p != nil {
		user, tenant = encode(p.ID()), encode(p.Tenant())
		roles, scopes = encodeList(p.Roles()), encodeList(p.Scopes())
	}
	out := make([]core.Field, 0, 4)
	for _, f := range []core.Field{
		{Name: id.User, Value: user}, {Name: id.Roles, Value: roles},
		{Name: id.Scopes, Value: scopes}, {Name: id.Tenant, Value: tenant},
	} {
		if f.Name != "" {
			out = append(out, f)
		}
	}
	return out
}

// encodeList joins non-empty items: an empty role grants nothing.
func encodeList(items iter.Seq[string]) string {
	var list []string
	for item := range items {
		if item != "" {
			list = append(list, encode(item))
		}
	}
	return strings.Join(list, ",")
}

func encode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && strings.IndexByte("%,;\"\\", c) < 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&0xf]})
		}
	}
	return b.String()
}
