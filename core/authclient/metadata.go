package authclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
)

// maxMetadata is the maximum size of a metadata document in bytes.
const maxMetadata = 64 << 10

// Metadata is the metadata of a protected resource (RFC 9728 §2).
type Metadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	DPoPAlgs             []string `json:"dpop_signing_alg_values_supported"`
	DPoPRequired         bool     `json:"dpop_bound_access_tokens_required"`
}

// FetchMetadata gets the metadata that a challenge has named, so that a user can
// sign in where the resource asks. client must not add credentials; nil means
// [http.DefaultClient].
//
// address must be an https URL, and no redirect is followed. resource is the URL
// that the refused request was for: a document for another one is an error, since
// any service could otherwise send users to a sign-in page of its choice (RFC 9728
// §3.3). Up to 64 KiB of application/json are read.
func FetchMetadata(ctx context.Context, client *http.Client, address, resource string) (*Metadata, error) {
	m, err := fetchMetadata(ctx, client, address)
	if err != nil {
		return nil, fmt.Errorf("authclient: metadata: %w", quiet.Error(err))
	}
	if m.Resource == "" || m.Resource != resource {
		return nil, fmt.Errorf("authclient: metadata: the document is for %q, not for %q", quiet.Text(m.Resource), quiet.Text(resource))
	}
	return m, nil
}

func fetchMetadata(ctx context.Context, client *http.Client, address string) (*Metadata, error) {
	if u, err := url.Parse(address); err != nil || !isHTTPS(u) {
		return nil, errors.New("the address is not an https URL")
	}
	if client == nil {
		client = http.DefaultClient
	}
	still := *client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := still.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, errors.New("it is not application/json")
	}
	body, err := bounded.Body(resp, maxMetadata)
	if err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	m := new(Metadata)
	if err := json.Unmarshal(body, m); err != nil {
		return nil, errors.New("it is not a metadata document")
	}
	return m, nil
}
