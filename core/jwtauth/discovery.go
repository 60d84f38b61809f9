package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
)

// Discover returns a source of the keys in the JWK set that issuer's metadata
// names. The metadata is at issuer followed by /.well-known/openid-configuration
// (OpenID Connect Discovery 1.0 §4), or with [WithOAuthMetadata] where RFC 8414
// puts it.
//
// issuer is a URL as for [Fetch], without query, and must be exactly the issuer
// that the metadata names (RFC 8414 §3.3) and that [WithIssuer] expects in tokens.
// The address of the keys must be https too, unless the issuer's is not.
//
// The metadata is read before each scheduled fetch, so that the keys may move. An
// issuer that is down at the start is not an error: requests get 503 until it is
// up.
func Discover(issuer string, opts ...RemoteOption) (*RemoteKeys, error) {
	c, err := newRemoteConfig(opts)
	if err != nil {
		return nil, err
	}
	metadata, err := metadataAddress(issuer, c)
	if err != nil {
		return nil, fmt.Errorf("jwtauth: issuer address: %w", err)
	}
	return start(c, &discovery{client: newClient(c), issuer: issuer, metadata: metadata}), nil
}

func metadataAddress(issuer string, c remoteConfig) (*url.URL, error) {
	u, err := parseAddress(issuer, c.allowHTTP)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery || u.RawPath != "" {
		return nil, fmt.Errorf("%.256q has a query or an escaped path", quiet.URL(u))
	}
	if before, _, found := strings.Cut(issuer, "/.well-known/"); found {
		return nil, fmt.Errorf("%.256q is the address of metadata: give the issuer, usually %q, as in the iss of its tokens", quiet.Text(issuer), quiet.Text(before))
	}
	path := strings.TrimSuffix(u.Path, "/")
	if c.oauthMetadata {
		u.Path = "/.well-known/oauth-authorization-server" + path
	} else {
		u.Path = path + "/.well-known/openid-configuration"
	}
	return u, nil
}

// request is one request to a source.
type request struct {
	etag string // of the current document
	// again reports that an unknown key is the only reason, so the address that
	// worked before is good enough.
	again bool
}

// source gets a JWK set. It is used by one goroutine at a time.
type source interface {
	fetch(ctx context.Context, q request) (body, error)
	String() string
}

// fixedSource is a source at a fixed address.
type fixedSource struct {
	*client
	address *url.URL
}

func (s fixedSource) String() string { return quiet.URL(s.address) }

func (s fixedSource) fetch(ctx context.Context, q request) (body, error) {
	return s.get(ctx, s.address, q.etag)
}

// discovery is a source whose address comes from an issuer's metadata.
type discovery struct {
	*client
	issuer   string
	metadata *url.URL
	keys     *url.URL // where the last good fetch found them
}

func (d *discovery) String() string { return d.issuer }

func (d *discovery) fetch(ctx context.Context, q request) (body, error) {
	address := d.keys
	if address == nil || !q.again {
		var err error
		if address, err = d.discover(ctx); err != nil {
			return body{}, fmt.Errorf("metadata: %w", err)
		}
	}
	if d.keys == nil || address.String() != d.keys.String() {
		q.etag = "" // it was another document's
	}
	b, err := d.get(ctx, address, q.etag)
	if err != nil {
		return b, fmt.Errorf("keys: %w", err)
	}
	d.keys = address
	return b, nil
}

func (d *discovery) discover(ctx context.Context) (*url.URL, error) {
	b, err := d.get(ctx, d.metadata, "")
	if err != nil {
		return nil, err
	}
	m, err := strictjson.Decode(string(b.data))
	if err != nil {
		return nil, err
	}
	if issuer, ok := m["issuer"].(string); !ok || issuer != d.issuer {
		return nil, fmt.Errorf("issuer is %.256q, not %q: the two must be identical (RFC 8414 §3.3)", fmt.Sprint(m["issuer"]), d.issuer)
	}
	address, ok := m["jwks_uri"].(string)
	if !ok {
		return nil, errors.New("jwks_uri is missing or not a string")
	}
	u, err := parseAddress(address, true)
	if err != nil {
		return nil, fmt.Errorf("jwks_uri: %w", err)
	}
	if u.Scheme != "https" && d.metadata.Scheme == "https" {
		return nil, fmt.Errorf("jwks_uri %.256q is not https", quiet.URL(u))
	}
	return u, nil
}
