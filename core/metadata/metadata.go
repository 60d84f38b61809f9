// Package metadata serves the metadata of a protected resource (RFC 9728), from
// which clients learn where to get a token for it and how to send one.
//
//	document, err := metadata.New("https://api.example", metadata.WithAuthorizationServers("https://issuer.example"))
//	mux.Handle(document.Path(), httpauth.Serve(document.Endpoint()))
//
// Nothing in the document comes from a request. It is public: mount it outside all
// gates, and name [Document.URL] in challenges with the option WithResourceMetadata
// of package bearer or dpop.
package metadata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/option"
)

// wellKnown is the well-known path of the document (RFC 9728 §3).
const wellKnown = "/.well-known/oauth-protected-resource"

// Document is the metadata of one protected resource. It is immutable and safe
// for concurrent use.
type Document struct {
	origin string // of the resource
	path   string // of the resource; "" for none
	body   []byte
	fields []core.Field
}

// members holds the members of RFC 9728 §2 that can be set here. An empty list is
// omitted (§3.2).
type members struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers,omitempty"`
	JWKSURI              string   `json:"jwks_uri,omitempty"`
	ScopesSupported      []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	SigningAlgs          []string `json:"resource_signing_alg_values_supported,omitempty"`
	Name                 string   `json:"resource_name,omitempty"`
	Documentation        string   `json:"resource_documentation,omitempty"`
	Policy               string   `json:"resource_policy_uri,omitempty"`
	TermsOfService       string   `json:"resource_tos_uri,omitempty"`
	DPoPAlgs             []string `json:"dpop_signing_alg_values_supported,omitempty"`
	DPoPRequired         bool     `json:"dpop_bound_access_tokens_required,omitempty"`
}

// New returns the document of the resource with the given identifier: the https URL
// by which clients know the resource, and which they compare with the document byte
// for byte (RFC 9728 §3.3). For development it may be http on a loopback host, and
// so may all other addresses here; many clients reject such a document.
//
// The identifier must therefore be normalized: no fragment, no user, host in lower
// case, no default port, no empty or dot segment. It must not have a query either,
// and its path may contain only letters, digits and -._~/, because [Document.Path]
// is mounted on a router.
//
// bearer_methods_supported is always ["header"], since packages bearer and dpop
// accept a token only there.
func New(resource string, opts ...Option) (*Document, error) {
	origin, path, err := splitResource(resource)
	if err != nil {
		return nil, fmt.Errorf("metadata: resource %q: %w", quiet.Text(resource), err)
	}
	s := settings{members: members{Resource: resource, BearerMethods: []string{"header"}}, age: time.Hour}
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	if s.members.DPoPRequired && len(s.members.DPoPAlgs) == 0 {
		return nil, errors.New("metadata: WithDPoPRequired without WithDPoP: clients need to know the algorithms")
	}
	body, err := json.Marshal(s.members)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return &Document{origin: origin, path: path, body: append(body, '\n'), fields: []core.Field{
		{Name: "Content-Type", Value: "application/json"},
		{Name: "Cache-Control", Value: "public, max-age=" + strconv.Itoa(int(s.age/time.Second))},
		{Name: "Access-Control-Allow-Origin", Value: "*"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}}, nil
}

// Path returns the path at which to mount the document: the well-known path,
// followed by the path of the resource if it has one (RFC 9728 §3.1).
func (d *Document) Path() string { return wellKnown + d.path }

// URL returns the address of the document, for the resource_metadata of challenges
// (RFC 9728 §5.1).
func (d *Document) URL() string { return d.origin + d.Path() }

// Endpoint returns an endpoint that answers GET and HEAD with the document: 200,
// application/json, readable by scripts of any origin, publicly cacheable
// ([WithCacheMaxAge]). Any other method gets 405.
func (d *Document) Endpoint() core.Endpoint {
	ok := core.Response{Status: http.StatusOK, Fields: d.fields, Body: d.body}
	not := core.Response{Status: http.StatusMethodNotAllowed, Fields: []core.Field{{Name: "Allow", Value: "GET, HEAD"}}}
	return func(_ context.Context, r core.Request) core.Response {
		if m := r.Method(); m != http.MethodGet && m != http.MethodHead {
			return not
		}
		return ok
	}
}

// splitResource splits an identifier into origin and path.
func splitResource(resource string) (origin, path string, err error) {
	if err := checkURL(resource); err != nil {
		return "", "", err
	}
	if strings.Contains(resource, "?") {
		return "", "", errors.New("query: remove it, since routers cannot match it")
	}
	scheme, rest, _ := strings.Cut(resource, "://")
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		slash = len(rest)
	}
	host := rest[:slash]
	if path = rest[slash:]; path == "/" {
		path = "" // RFC 9728 §3.1
	}
	if host != strings.ToLower(host) || strings.HasSuffix(host, port) || strings.HasSuffix(host, ":") {
		return "", "", errors.New("spell the host in lower case and leave out the default port, as clients do")
	}
	if i := ascii.Span(path, "-._~/"); i < len(path) {
		return "", "", fmt.Errorf("byte %#02x in the path: letters, digits and -._~/ can be mounted on every router", path[i])
	}
	for i, segment := range strings.Split(strings.Trim(path, "/"), "/") {
		if path != "" && (segment == "" || segment == "." || segment == "..") {
			return "", "", fmt.Errorf("segment %d of the path is empty or consists of dots", i+1)
		}
	}
	if strings.HasPrefix(path, "//") || strings.HasSuffix(path, "//") {
		return "", "", errors.New("empty segment in the path")
	}
	return scheme + "://" + host, path, nil
}
