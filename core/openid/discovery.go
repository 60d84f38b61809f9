package openid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/sallyport-go/sallyport/core"
)

const (
	// metadataLifetime is how long metadata is used before it is fetched again.
	metadataLifetime = time.Hour
	// firstRetry and lastRetry bound the time from a failure to the next fetch,
	// which doubles each time.
	firstRetry, lastRetry = time.Second, time.Minute
)

// metadata is the part of a provider's metadata (OpenID Connect Discovery 1.0 §3)
// that matters here.
type metadata struct {
	Authorize    string   `json:"authorization_endpoint"`
	Token        string   `json:"token_endpoint"`
	EndSession   string   `json:"end_session_endpoint"`
	NamesIssuer  bool     `json:"authorization_response_iss_parameter_supported"`
	Methods      []string `json:"code_challenge_methods_supported"`
	ClientsProve []string `json:"token_endpoint_auth_methods_supported"`
}

// discovery fetches a provider's metadata on demand, one fetch at a time.
type discovery struct {
	issuer string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	known   *metadata // of the last successful fetch; nil if there was none
	next    time.Time // when to fetch again
	failed  error     // of the last fetch
	retry   time.Duration
	fetched chan struct{} // closed when the fetch under way has ended; nil if there is none
}

func newDiscovery(p *Provider) *discovery {
	return &discovery{issuer: p.issuer, client: newClient(p), now: p.now}
}

// metadata returns the provider's metadata. Old metadata is renewed in the
// background, and stays in use while the provider is down. If there is none,
// concurrent requests wait for the same fetch; if it fails, they get a
// [core.UnavailableError], and so do all others until the next fetch is due.
func (d *discovery) metadata(ctx context.Context) (*metadata, error) {
	d.mu.Lock()
	if d.fetched == nil && !d.now().Before(d.next) {
		d.fetched = make(chan struct{})
		go d.fetch(context.WithoutCancel(ctx), d.fetched)
	}
	known, fetched := d.known, d.fetched
	d.mu.Unlock()
	if known != nil {
		return known, nil
	}
	if fetched != nil {
		select {
		case <-fetched:
		case <-ctx.Done():
			return nil, &core.UnavailableError{Err: fmt.Errorf("openid: waiting for the metadata of %s: %w", d.issuer, context.Cause(ctx))}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known != nil {
		return d.known, nil
	}
	return nil, &core.UnavailableError{
		RetryAfter: max(d.next.Sub(d.now()), time.Second),
		Err:        fmt.Errorf("openid: metadata of %s: %w", d.issuer, d.failed),
	}
}

// fetch gets the metadata and records the result.
func (d *discovery) fetch(ctx context.Context, done chan struct{}) {
	m, err := d.get(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed = err; err == nil {
		d.known, d.next, d.retry = m, d.now().Add(metadataLifetime), 0
	} else {
		d.retry = min(max(2*d.retry, firstRetry), lastRetry)
		d.next = d.now().Add(d.retry)
	}
	d.fetched = nil
	close(done)
}

// get asks the provider. A panic, for instance in the application's transport, must
// not crash the process.
func (d *discovery) get(ctx context.Context) (m *metadata, err error) {
	defer func() {
		if v := recover(); v != nil {
			m, err = nil, fmt.Errorf("panic: %v", v)
		}
	}()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, d.client), d.issuer)
	if err != nil {
		return nil, err
	}
	m = new(metadata)
	if err := provider.Claims(m); err != nil {
		return nil, err
	}
	return m, m.check(d.issuer)
}

// check refuses metadata with which a sign-in would not be safe.
func (m *metadata) check(issuer string) error {
	plain := false
	if u, err := url.Parse(issuer); err == nil {
		plain = u.Scheme == "http" // which is on this machine
	}
	for name, address := range map[string]*string{
		"authorization_endpoint": &m.Authorize, "token_endpoint": &m.Token, "end_session_endpoint": &m.EndSession,
	} {
		if name == "end_session_endpoint" && *address == "" {
			continue
		}
		u, err := url.Parse(*address)
		if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !(plain && u.Scheme == "http") {
			return fmt.Errorf("%s %.256q is not an https address", name, *address)
		}
	}
	if len(m.Methods) > 0 && !slices.Contains(m.Methods, "S256") {
		return errors.New("code_challenge_methods_supported lacks S256: the provider would accept codes without a proof (RFC 7636)")
	}
	return nil
}

// endpoint returns the endpoint for package oauth2. The client authenticates in one
// way and does not fall back to another, since a code can be sent only once.
func (m *metadata) endpoint() oauth2.Endpoint {
	style := oauth2.AuthStyleInHeader // the default (OpenID Connect Discovery 1.0 §3)
	if len(m.ClientsProve) > 0 && !slices.Contains(m.ClientsProve, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	return oauth2.Endpoint{AuthURL: m.Authorize, TokenURL: m.Token, AuthStyle: style}
}
