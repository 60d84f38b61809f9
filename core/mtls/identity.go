package mtls

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
)

// Identity finds the ID of a certificate's holder.
type Identity struct {
	find func(*x509.Certificate) (string, error)
	err  error // why it is invalid
}

// IdentityFunc makes an identity from a function. f gets verified certificates,
// which it must not modify; it must be safe for concurrent use.
//
// A [core.CredentialError] results in 401. Any other error results in 503, or 500
// for a [core.InternalError]. An ID that is empty, longer than 2048 bytes, not
// UTF-8, or contains unprintable characters results in 401 too.
func IdentityFunc(f func(*x509.Certificate) (id string, err error)) Identity {
	return Identity{find: f}
}

// maxID is the maximum length of a SPIFFE ID that every implementation must
// support.
const maxID = 2048

// SPIFFE takes the SPIFFE ID of a trust domain, such as
// "spiffe://example.org/reports": the only URI among the subject alternative names
// of a certificate that is not an authority's. Another domain, a second URI and a
// path that is empty or has empty or dot segments are refused.
func SPIFFE(trustDomain string) Identity {
	if trustDomain == "" || strings.ToLower(trustDomain) != trustDomain || strings.ContainsFunc(trustDomain, notSPIFFE) {
		return Identity{err: fmt.Errorf("trust domain %q: want a name in lower case without scheme, such as \"example.org\"", trustDomain)}
	}
	return IdentityFunc(func(c *x509.Certificate) (string, error) {
		if c.IsCA {
			return "", unidentified("the certificate belongs to an authority")
		}
		id, err := onlyURI(c)
		if err != nil {
			return "", err
		}
		path, ok := strings.CutPrefix(id, "spiffe://"+trustDomain)
		if !ok || path != "" && path[0] != '/' {
			return "", unidentified("%.64q is not in trust domain %q", id, trustDomain)
		}
		if !spiffePath(path) {
			return "", unidentified("%.64q is not the SPIFFE ID of a workload", id)
		}
		return id, nil
	})
}

// spiffePath reports whether path names a workload: segments of letters,
// digits, dots, dashes and underscores, of which none is empty, "." or "..".
func spiffePath(path string) bool {
	path, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, notSPIFFE) {
			return false
		}
	}
	return true
}

func notSPIFFE(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_", r)
}

// URI takes the only URI among the subject alternative names, unchanged.
func URI() Identity {
	return IdentityFunc(onlyURI)
}

// onlyURI returns the only URI among the subject alternative names (RFC 5280
// §4.2.1.6) as the certificate spells it. A parsed URL has lost an empty fragment and
// the escapes of its user, so that two names would become one.
func onlyURI(c *x509.Certificate) (string, error) {
	if _, err := one(c.URIs, "URI"); err != nil {
		return "", err
	}
	for _, extension := range c.Extensions {
		if !extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(extension.Value, &names); err != nil {
			return "", unidentified("subject alternative names: %w", err)
		}
		for _, name := range names {
			if name.Class == asn1.ClassContextSpecific && name.Tag == 6 {
				return string(name.Bytes), nil
			}
		}
	}
	return "", unidentified("the URI is in no extension")
}

// DNSName takes the only DNS name among the subject alternative names, in lower
// case, since DNS names are case-insensitive. A wildcard names nobody.
func DNSName() Identity {
	return IdentityFunc(func(c *x509.Certificate) (string, error) {
		name, err := one(c.DNSNames, "DNS name")
		if err != nil {
			return "", err
		}
		if strings.Contains(name, "*") {
			return "", unidentified("DNS name %.64q is a wildcard", name)
		}
		return strings.ToLower(name), nil
	})
}

// Email takes the only email address among the subject alternative names,
// unchanged.
func Email() Identity {
	return IdentityFunc(func(c *x509.Certificate) (string, error) { return one(c.EmailAddresses, "email address") })
}

// CommonName takes the only common name of the subject. Choose it only if the
// authority vouches for it: many check only the subject alternative names.
func CommonName() Identity {
	return IdentityFunc(func(c *x509.Certificate) (string, error) {
		var names []string
		for _, attribute := range c.Subject.Names { // Subject.CommonName hides all but the last
			if attribute.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}) {
				name, _ := attribute.Value.(string)
				names = append(names, name)
			}
		}
		return one(names, "common name")
	})
}

// OrganizationalUnits returns a function for [WithRoles]: each unit (OU) of the
// subject that is a key of roles, compared exactly, gives the role it maps to.
// Other units give none.
func OrganizationalUnits(roles map[string]string) func(*x509.Certificate) ([]string, error) {
	roles = maps.Clone(roles)
	return func(c *x509.Certificate) ([]string, error) {
		var out []string
		for _, unit := range c.Subject.OrganizationalUnit {
			if role, ok := roles[unit]; ok && !slices.Contains(out, role) {
				out = append(out, role)
			}
		}
		return out, nil
	}
}

// one returns the only element of list: a holder with two names could be either.
func one[T any](list []T, what string) (T, error) {
	if len(list) != 1 {
		var none T
		return none, unidentified("%d entries of kind %s, want 1", len(list), what)
	}
	return list[0], nil
}

func unidentified(format string, args ...any) error {
	return refused(core.ReasonUnknownPrincipal, fmt.Errorf("mtls: "+format, args...))
}

// checkID returns what is wrong with an ID. Control characters have a history of
// truncating names.
func checkID(id string) error {
	switch {
	case id == "":
		return errors.New("mtls: the name in the certificate is empty")
	case len(id) > maxID:
		return fmt.Errorf("mtls: the name in the certificate has %d bytes, at most %d are accepted", len(id), maxID)
	case !utf8.ValidString(id) || strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("mtls: the name %.64q in the certificate is not printable", id)
	}
	return nil
}
