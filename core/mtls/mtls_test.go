package mtls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/internal/testca"
	"github.com/sallyport-go/sallyport/core/mtls"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// over is a request on a connection with chains, each from the leaf up.
func over(chains ...[]*x509.Certificate) core.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.TLS = &tls.ConnectionState{VerifiedChains: chains}
	if len(chains) > 0 {
		r.TLS.PeerCertificates = chains[0]
	}
	return &adapter.View{Request: r}
}

func unverified(certs ...*x509.Certificate) core.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: certs}
	return &adapter.View{Request: r}
}

func chain(certs ...*x509.Certificate) []*x509.Certificate { return certs }

func named(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

func authenticator(t testing.TB, identity mtls.Identity, opts ...mtls.Option) *mtls.Authenticator {
	t.Helper()
	a, err := mtls.New("api", identity, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// outcome is what Authenticate says in one word: "ID", "!reason" or an error.
func outcome(p *core.Principal, err error) string {
	var bad *core.CredentialError
	switch {
	case err == nil:
		return p.ID()
	case errors.Is(err, core.ErrNoCredentials):
		return "none"
	case errors.Is(err, core.ErrAmbiguousCredentials):
		return "ambiguous"
	case errors.As(err, &bad):
		if bad.Code != core.CodeInvalidCredentials || !strings.HasPrefix(bad.Err.Error(), "mtls: ") {
			return fmt.Sprintf("%#v", bad)
		}
		return "!" + string(bad.Reason)
	}
	return err.Error()
}

func TestVerifiedCertificatesAlone(t *testing.T) {
	ca := testca.New(t, "ca")
	cert := ca.Client(t, named("reports.example")).Leaf
	a := authenticator(t, mtls.DNSName())
	for _, c := range []struct {
		name string
		r    core.Request
		want string
	}{
		{"plain HTTP", &adapter.View{Request: httptest.NewRequest("GET", "/", nil)}, "none"},
		{"TLS without a certificate", over(), "none"},
		{"verified", over(chain(cert, ca.Certificate)), "reports.example"},
		{"sent and not verified", unverified(cert), "!unknown_key"},
	} {
		if got := outcome(a.Authenticate(context.Background(), c.r)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPrincipal(t *testing.T) {
	ca := testca.New(t, "ca")
	cert := ca.Client(t, func(c *x509.Certificate) {
		c.DNSNames = []string{"Reports.Example"}
		c.Subject.OrganizationalUnit = []string{"Audit", "Kitchen", "Audit"}
	}).Leaf
	units := map[string]string{"Audit": "auditor"}
	a := authenticator(t, mtls.DNSName(), mtls.WithRoles(mtls.OrganizationalUnits(units)))
	units["Kitchen"] = "cook" // too late
	p, err := a.Authenticate(context.Background(), over(chain(cert, ca.Certificate)))
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != "reports.example" || p.Scheme() != "ClientCertificate" || !p.Expires().Equal(cert.NotAfter) {
		t.Errorf("%s by %s until %v", p.ID(), p.Scheme(), p.Expires())
	}
	if roles := slices.Collect(p.Roles()); !slices.Equal(roles, []string{"auditor"}) {
		t.Errorf("roles %q", roles)
	}
	serial, _ := p.Claim(mtls.ClaimSerial)
	issuer, _ := p.Claim(mtls.ClaimIssuer)
	sum, _ := p.Claim(mtls.ClaimSHA256)
	if serial != "a001" || issuer != "CN=ca" || len(sum.(string)) != 64 {
		t.Errorf("claims %v %v %v", serial, issuer, sum)
	}
}

// TestValidityAtRequestTime: a connection outlives certificates, and any of the
// chain.
func TestValidityAtRequestTime(t *testing.T) {
	start := time.Now().Truncate(time.Second)
	ca := testca.New(t, "ca")
	other := testca.New(t, "short").Certificate
	other.NotAfter = start.Add(time.Minute)
	cert := ca.Client(t, func(c *x509.Certificate) {
		c.DNSNames, c.NotBefore, c.NotAfter = []string{"a.example"}, start, start.Add(10*time.Minute)
	}).Leaf
	now := start
	clock := mtls.WithClock(func() time.Time { return now })
	direct, rooted := authenticator(t, mtls.DNSName(), clock), authenticator(t, mtls.DNSName(), clock, mtls.WithRoots(ca.Pool()))
	long, both := over(chain(cert, ca.Certificate)), over(chain(cert, other), chain(cert, ca.Certificate))
	short := over(chain(cert, other))
	for _, c := range []struct {
		name string
		a    *mtls.Authenticator
		r    core.Request
		at   time.Duration
		want string
	}{
		{"too early", direct, long, -time.Second, "!not_yet_valid"},
		{"from the first second", direct, long, 0, "a.example"},
		{"to the last second", direct, long, 10 * time.Minute, "a.example"},
		{"too late", direct, long, 10*time.Minute + time.Second, "!expired"},
		{"the authority has expired", direct, short, 2 * time.Minute, "!expired"},
		{"one of two chains has", direct, both, 2 * time.Minute, "a.example"},
		{"too early for roots", rooted, long, -time.Second, "!not_yet_valid"},
		{"in time for roots", rooted, long, 0, "a.example"},
		{"too late for roots", rooted, long, 10*time.Minute + time.Second, "!expired"},
	} {
		now = start.Add(c.at)
		if got := outcome(c.a.Authenticate(context.Background(), c.r)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestUsage(t *testing.T) {
	ca := testca.New(t, "ca")
	for _, c := range []struct {
		name    string
		usage   []x509.ExtKeyUsage
		unknown []asn1.ObjectIdentifier
		want    string
	}{
		{"clients", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, nil, "a.example"},
		{"any", []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, nil, "a.example"},
		{"nothing said", nil, nil, "a.example"},
		{"servers", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, nil, "!bad_claim"},
		{"something else", nil, []asn1.ObjectIdentifier{{1, 2, 3}}, "!bad_claim"},
	} {
		cert := ca.Client(t, func(x *x509.Certificate) {
			x.DNSNames, x.ExtKeyUsage, x.UnknownExtKeyUsage = []string{"a.example"}, c.usage, c.unknown
		}).Leaf
		for name, a := range map[string]*mtls.Authenticator{
			"": authenticator(t, mtls.DNSName()), " for roots": authenticator(t, mtls.DNSName(), mtls.WithRoots(ca.Pool())),
		} {
			if got := outcome(a.Authenticate(context.Background(), over(chain(cert, ca.Certificate)))); got != c.want {
				t.Errorf("%s%s: %s, want %s", c.name, name, got, c.want)
			}
		}
	}
}

// TestRoots: what the server accepts is not enough.
func TestRoots(t *testing.T) {
	ca, other := testca.New(t, "ca"), testca.New(t, "other")
	middle := ca.Intermediate(t, "middle")
	expired := ca.Intermediate(t, "expired")
	a := authenticator(t, mtls.DNSName(), mtls.WithRoots(ca.Pool()))
	for _, c := range []struct {
		name  string
		certs []*x509.Certificate
		want  string
	}{
		{"a root's", chain(ca.Client(t, named("a.example")).Leaf), "a.example"},
		{"an intermediate's", chain(middle.Client(t, named("a.example")).Leaf, middle.Certificate), "a.example"},
		{"an intermediate's, which is missing", chain(expired.Client(t, named("a.example")).Leaf), "!unknown_key"},
		{"another authority's", chain(other.Client(t, named("a.example")).Leaf, other.Certificate), "!unknown_key"},
	} {
		if got := outcome(a.Authenticate(context.Background(), over(c.certs))); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestExpiredOnlyIfGoodBefore: anybody can make a certificate with dates in the past, of
// which a gate that takes lapsed credentials for none must not think that it was good
// once (RFC 5280 §6.1.3).
func TestExpiredOnlyIfGoodBefore(t *testing.T) {
	ca, other := testca.New(t, "ca"), testca.New(t, "other") // valid for an hour around now, as all below
	var ahead time.Duration
	a := authenticator(t, mtls.DNSName(), mtls.WithRoots(ca.Pool()), mtls.WithClock(func() time.Time { return time.Now().Add(ahead) }))
	for _, c := range []struct {
		name            string
		ahead, from, to time.Duration // of the clock, and of the certificate's validity
		direct, below   string        // issued by the root, and by an intermediate
	}{
		{"valid", 0, -time.Hour, time.Hour, "a.example", "a.example"},
		{"expired", 0, -time.Hour, -time.Minute, "!expired", "!expired"},
		{"not yet valid", 0, time.Minute, time.Hour, "!not_yet_valid", "!not_yet_valid"},
		{"expired with all others", 2 * time.Hour, -time.Hour, time.Hour, "!expired", "!expired"},
		{"below expired ones", 2 * time.Hour, -time.Hour, 3 * time.Hour, "!expired", "!expired"},
		{"below ones that are not yet valid", -2 * time.Hour, -3 * time.Hour, time.Hour, "!expired", "!not_yet_valid"},
		{"valid before all others", 0, -3 * time.Hour, -2 * time.Hour, "!expired", "!unknown_key"},
	} {
		ahead = c.ahead
		edit := func(cert *x509.Certificate) {
			cert.NotBefore, cert.NotAfter, cert.DNSNames = time.Now().Add(c.from), time.Now().Add(c.to), []string{"a.example"}
		}
		for _, issuer := range []*testca.CA{ca, other} {
			if issuer == other {
				c.direct, c.below = "!unknown_key", "!unknown_key"
			}
			middle := issuer.Intermediate(t, "middle")
			for want, certs := range map[*string][]*x509.Certificate{
				&c.direct: chain(issuer.Client(t, edit).Leaf), &c.below: chain(middle.Client(t, edit).Leaf, middle.Certificate),
			} {
				if got := outcome(a.Authenticate(t.Context(), over(certs))); got != *want {
					t.Errorf("%s, %d below %s: %s, want %s", c.name, len(certs), issuer.Certificate.Subject.CommonName, got, *want)
				}
			}
		}
	}
}

func uris(list ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, s := range list {
			u, err := url.Parse(s)
			if err != nil {
				panic(err)
			}
			c.URIs = append(c.URIs, u)
		}
	}
}

// uri is the only subject alternative name, beside an email address, in exactly this
// spelling.
func uri(text string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		names, err := asn1.Marshal([]asn1.RawValue{
			{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte("a@x.example")},
			{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(text)},
		})
		if err != nil {
			panic(err)
		}
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}}
	}
}

func subject(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, name := range names {
			c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: name})
		}
	}
}

func mails(list ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.EmailAddresses = list }
}

func TestIdentity(t *testing.T) {
	ca := testca.New(t, "ca")
	const unknown = "!unknown_principal"
	spiffe := mtls.SPIFFE("example.org")
	for _, c := range []struct {
		name     string
		identity mtls.Identity
		edit     func(*x509.Certificate)
		want     string
	}{
		{"SPIFFE ID", spiffe, uris("spiffe://example.org/ns/a_b/sa/C.d-1"), "spiffe://example.org/ns/a_b/sa/C.d-1"},
		{"SPIFFE of another domain", spiffe, uris("spiffe://example.com/a"), unknown},
		{"SPIFFE of a domain below", spiffe, uris("spiffe://x.example.org/a"), unknown},
		{"SPIFFE with a port", spiffe, uris("spiffe://example.org:1/a"), unknown},
		{"SPIFFE with a user", spiffe, uris("spiffe://u@example.org/a"), unknown},
		{"SPIFFE with a query", spiffe, uris("spiffe://example.org/a?b"), unknown},
		{"SPIFFE with a fragment", spiffe, uris("spiffe://example.org/a#b"), unknown},
		{"SPIFFE with an empty fragment", spiffe, uri("spiffe://example.org/a#"), unknown},
		{"SPIFFE with capitals", spiffe, uri("SPIFFE://example.org/a"), unknown},
		{"SPIFFE with an escape", spiffe, uris("spiffe://example.org/a%2Fb"), unknown},
		{"SPIFFE without a path", spiffe, uris("spiffe://example.org"), unknown},
		{"SPIFFE with an empty path", spiffe, uris("spiffe://example.org/"), unknown},
		{"SPIFFE with dots", spiffe, uris("spiffe://example.org/a/../b"), unknown},
		{"SPIFFE with an empty segment", spiffe, uris("spiffe://example.org/a//b"), unknown},
		{"SPIFFE with a wildcard", spiffe, uris("spiffe://example.org/*"), unknown},
		{"SPIFFE by another scheme", spiffe, uris("https://example.org/a"), unknown},
		{"SPIFFE twice", spiffe, uris("spiffe://example.org/a", "spiffe://example.org/b"), unknown},
		{"SPIFFE and another URI", spiffe, uris("spiffe://example.org/a", "https://example.org/b"), unknown},
		{"SPIFFE of an authority", spiffe, func(c *x509.Certificate) { uris("spiffe://example.org/a")(c); c.IsCA = true }, unknown},
		{"SPIFFE without a URI", spiffe, named("example.org"), unknown},
		{"URI", mtls.URI(), uris("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		{"URI with an escaped user", mtls.URI(), uri("https://a%26b@x.example/"), "https://a%26b@x.example/"},
		{"URI with a user", mtls.URI(), uri("https://a&b@x.example/"), "https://a&b@x.example/"},
		{"URI with an empty fragment", mtls.URI(), uri("https://x.example/a#"), "https://x.example/a#"},
		{"URI with an empty query", mtls.URI(), uri("https://x.example/a?"), "https://x.example/a?"},
		{"URI with an escaped host", mtls.URI(), uri("urn:a%C3%A9#%41"), "urn:a%C3%A9#%41"},
		{"URI with capitals", mtls.URI(), uri("URN:a:b"), "URN:a:b"},
		{"two URIs", mtls.URI(), uris("urn:a:b", "urn:a:c"), unknown},
		{"DNS name", mtls.DNSName(), named("a.Example"), "a.example"},
		{"DNS names that differ in case", mtls.DNSName(), named("a.Example", "a.example"), unknown},
		{"wildcard", mtls.DNSName(), named("*.example"), unknown},
		{"no DNS name", mtls.DNSName(), subject("a.example"), unknown},
		{"email", mtls.Email(), mails("Erin@example.org"), "Erin@example.org"},
		{"two emails", mtls.Email(), mails("a@example.org", "b@example.org"), unknown},
		{"common name", mtls.CommonName(), subject("Erin Example"), "Erin Example"},
		{"two common names", mtls.CommonName(), subject("erin", "admin"), unknown},
		{"no common name", mtls.CommonName(), named("erin"), unknown},
		{"empty common name", mtls.CommonName(), subject(""), unknown},
		{"NUL in a common name", mtls.CommonName(), subject("admin\x00.evil"), unknown},
		{"newline in a common name", mtls.CommonName(), subject("admin\nx"), unknown},
		{"invisible in a common name", mtls.CommonName(), subject("admin\u200b"), unknown},
		{"long common name", mtls.CommonName(), subject(strings.Repeat("a", 3000)), unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert := ca.Client(t, c.edit).Leaf
			a := authenticator(t, c.identity)
			if got := outcome(a.Authenticate(context.Background(), over(chain(cert, ca.Certificate)))); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestHooks: what functions of the application return; only a clear refusal is
// 401.
func TestHooks(t *testing.T) {
	ca := testca.New(t, "ca")
	r := over(chain(ca.Client(t, named("a.example")).Leaf, ca.Certificate))
	broken := errors.New("store is down")
	refusal := &core.CredentialError{Reason: core.ReasonAccountState, Code: core.CodeInvalidCredentials, Err: errors.New("mtls: test")}
	for _, c := range []struct {
		err      error
		want     string
		internal bool
	}{
		{nil, "a.example", false},
		{broken, "store is down", false},
		{refusal, "!account_state", false},
		{core.ErrNoCredentials, "", true},
		{core.ErrAmbiguousCredentials, "", true},
	} {
		fail := c.err
		for name, a := range map[string]*mtls.Authenticator{
			"identity": authenticator(t, mtls.IdentityFunc(func(x *x509.Certificate) (string, error) { return x.DNSNames[0], fail })),
			"roles":    authenticator(t, mtls.DNSName(), mtls.WithRoles(func(*x509.Certificate) ([]string, error) { return nil, fail })),
			"revocation": authenticator(t, mtls.DNSName(),
				mtls.WithRevocation(func(context.Context, *x509.Certificate) error { return fail })),
		} {
			p, err := a.Authenticate(context.Background(), r)
			var fault *core.InternalError
			if c.internal {
				if !errors.As(err, &fault) || errors.Is(err, c.err) {
					t.Errorf("%s fails with %v: %v", name, c.err, err)
				}
			} else if got := outcome(p, err); got != c.want {
				t.Errorf("%s fails with %v: %s, want %s", name, c.err, got, c.want)
			}
		}
	}
	for want, err := range map[string]error{
		"!revoked":    fmt.Errorf("mtls: %w on Monday", mtls.ErrRevoked),
		"unavailable": &core.UnavailableError{Err: mtls.ErrRevoked},
	} {
		a := authenticator(t, mtls.DNSName(), mtls.WithRevocation(func(context.Context, *x509.Certificate) error { return err }))
		if got := outcome(a.Authenticate(context.Background(), r)); !strings.HasPrefix(got, want) {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	trusted, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	if err != nil {
		t.Fatal(err)
	}
	roots := mtls.WithRoots(testca.New(t, "ca").Pool())
	for want, make := range map[string]func() (*mtls.Authenticator, error){
		"empty realm":          func() (*mtls.Authenticator, error) { return mtls.New("", mtls.URI()) },
		"not printable":        func() (*mtls.Authenticator, error) { return mtls.New("é", mtls.URI()) },
		"no identity":          func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.Identity{}) },
		"no identity: choose":  func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.IdentityFunc(nil)) },
		`domain ""`:            func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.SPIFFE("")) },
		`domain "Example.org"`: func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.SPIFFE("Example.org")) },
		`domain "spiffe://x"`:  func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.SPIFFE("spiffe://x")) },
		"option 1 is nil":      func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.URI(), nil) },
		"roots are empty":      func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.URI(), mtls.WithRoots(nil)) },
		"roots are empty: no": func() (*mtls.Authenticator, error) {
			return mtls.New("r", mtls.URI(), mtls.WithRoots(x509.NewCertPool()))
		},
		"roles function is nil":      func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.URI(), mtls.WithRoles(nil)) },
		"revocation function is nil": func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.URI(), mtls.WithRevocation(nil)) },
		"clock is nil":               func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.URI(), mtls.WithClock(nil)) },
		"revocation function is given twice": func() (*mtls.Authenticator, error) {
			f := mtls.WithRevocation(func(context.Context, *x509.Certificate) error { return nil })
			return mtls.New("r", mtls.URI(), f, f)
		},
		"roots are given twice": func() (*mtls.Authenticator, error) { return mtls.New("r", mtls.URI(), roots, roots) },
		"proxies are nil": func() (*mtls.Authenticator, error) {
			return mtls.New("r", mtls.URI(), roots, mtls.WithClientCertHeader(nil))
		},
		"are not verified": func() (*mtls.Authenticator, error) {
			return mtls.New("r", mtls.URI(), mtls.WithClientCertHeader(trusted))
		},
		"header 2": func() (*mtls.Authenticator, error) {
			return mtls.New("r", mtls.URI(), mtls.WithNginxHeaders(trusted, "X-Cert", "X Verify"))
		},
		"named for two values": func() (*mtls.Authenticator, error) {
			return mtls.New("r", mtls.URI(), mtls.WithNginxHeaders(trusted, "X-Cert", "x-cert"))
		},
		"two forms": func() (*mtls.Authenticator, error) {
			return mtls.New("r", mtls.URI(), roots, mtls.WithClientCertHeader(trusted), mtls.WithNginxHeaders(trusted, "a", "b"))
		},
	} {
		if _, err := make(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestDescription(t *testing.T) {
	a := authenticator(t, mtls.URI())
	if s := a.Scheme(); s.Name != "ClientCertificate" || s.Sender != core.SentByBrowser || len(s.Vary) != 0 {
		t.Errorf("scheme %+v", s)
	}
	for _, err := range []error{core.ErrNoCredentials, &core.CredentialError{}} {
		cs := a.Challenges(nil, err)
		if len(cs) != 1 || cs[0].String() != `ClientCertificate realm="api"` {
			t.Errorf("challenges %v for %v", cs, err)
		}
	}
	for _, err := range []error{&core.ScopeError{}, &core.StepUpError{}, core.ErrAmbiguousCredentials, errors.New("down")} {
		if cs := a.Challenges(nil, err); len(cs) != 0 {
			t.Errorf("challenges %v for %v", cs, err)
		}
	}
}
