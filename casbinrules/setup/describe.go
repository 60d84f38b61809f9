package setup

import "github.com/sallyport-go/sallyport/core/apikey"

// Scheme says where in a request the credentials of a scheme are, for tools that
// describe a service to its clients.
type Scheme struct {
	// Name is the scheme as challenges spell it, such as Bearer. A scheme that reads
	// credentials from two places appears twice.
	Name string
	// Place is the part of the request with the credentials.
	Place Place
	// Field is the name of the header field, query parameter or cookie with the
	// credentials; "" for the other places.
	Field string
	// Issuers are the issuers whose tokens are accepted; nil if any token is sent to
	// an introspection endpoint, and for schemes without tokens.
	Issuers []string
	// JWT reports that all of its tokens are JSON Web Tokens.
	JWT bool
}

// Place is a part of a request.
type Place string

// The places of credentials.
const (
	InAuthorization Place = "authorization" // the field Authorization, after Name
	InHeader        Place = "header"
	InQuery         Place = "query"
	InCookie        Place = "cookie"
	InConnection    Place = "connection" // the certificate of a TLS client
)

// Schemes returns the schemes of the file, in the order in which they are tried. The
// result must not be modified.
func (s *Setup) Schemes() []Scheme { return s.schemes }

// describe says where the credentials are of the scheme whose field of config at
// points to.
func (a *assembly) describe(at any) []Scheme {
	c := a.config
	switch at {
	case &c.Bearer:
		all := []Scheme{a.tokenScheme("Bearer")}
		if c.Bearer.Cookie != "" {
			more := a.tokenScheme("Bearer")
			more.Place, more.Field = InCookie, c.Bearer.Cookie
			all = append(all, more)
		}
		return all
	case &c.DPoP:
		return []Scheme{a.tokenScheme("DPoP")}
	case &c.Basic:
		return []Scheme{{Name: "Basic", Place: InAuthorization}}
	case &c.Digest:
		return []Scheme{{Name: "Digest", Place: InAuthorization}}
	case &c.APIKeys:
		switch k := c.APIKeys; {
		case k.Scheme != "":
			return []Scheme{{Name: k.Scheme, Place: InAuthorization}}
		case k.Query != "":
			return []Scheme{{Name: apikey.DefaultScheme, Place: InQuery, Field: k.Query}}
		case k.Header != "":
			return []Scheme{{Name: apikey.DefaultScheme, Place: InHeader, Field: k.Header}}
		}
		return []Scheme{{Name: apikey.DefaultScheme, Place: InHeader, Field: apikey.DefaultHeader}}
	case &c.Certs:
		return []Scheme{{Name: "ClientCertificate", Place: InConnection}}
	}
	cookie := a.made.sessions.Cookie()
	return []Scheme{{Name: "Session", Place: InCookie, Field: cookie.Name}}
}

// tokenScheme describes a scheme with the tokens of bearer.
func (a *assembly) tokenScheme(name string) Scheme {
	c := a.config.Bearer
	s := Scheme{Name: name, Place: InAuthorization, JWT: a.opaque == nil}
	for _, issuer := range append([]issuerConfig{c.issuerConfig}, c.Issuers...) {
		if text := issuer.Issuer + issuer.Template; text != "" {
			s.Issuers = append(s.Issuers, text)
		}
	}
	if i := c.Introspection; i != nil && i.Issuer != "" {
		s.Issuers = append(s.Issuers, i.Issuer)
	}
	return s
}
