package issuer

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// The paths that a [Provider] answers.
const (
	KeysPath       = "/jwks.json"
	IntrospectPath = "/introspect"
)

// Provider is the web server of an issuer: it publishes the keys, and says what
// opaque tokens mean. It is safe for concurrent use.
type Provider struct {
	*Issuer
	// id and secret are of the one client that may introspect.
	id, secret string

	mu     sync.Mutex
	opaque map[string]map[string]any // the claims of each token
}

// NewProvider makes a provider of i for one client of the introspection
// endpoint. Neither id nor secret may hold what form encoding changes.
func NewProvider(i *Issuer, id, secret string) *Provider {
	return &Provider{Issuer: i, id: id, secret: secret, opaque: map[string]map[string]any{}}
}

// Opaque is a token that means nothing to anyone but the provider, with the
// claims that Token would put into one.
func (p *Provider) Opaque(subject string, lifetime time.Duration, claims map[string]any) (string, error) {
	token := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opaque[token] = p.claims(subject, lifetime, claims)
	p.opaque[token]["active"] = lifetime > 0
	return token, nil
}

// Keys answers with the JWK set.
func (p *Provider) Keys(w http.ResponseWriter, _ *http.Request) {
	set, err := p.KeySet()
	if err != nil {
		http.Error(w, "no keys", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(set) // the client has gone
}

// Introspect is the endpoint of RFC 7662 §2.
func (p *Provider) Introspect(w http.ResponseWriter, r *http.Request) {
	if id, secret, ok := r.BasicAuth(); !ok || id != p.id || secret != p.secret {
		w.Header().Set("WWW-Authenticate", `Basic realm="introspection"`)
		http.Error(w, "unknown client", http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	answer, ok := p.opaque[r.PostFormValue("token")]
	p.mu.Unlock()
	if active, _ := answer["active"].(bool); !ok || !active {
		answer = map[string]any{"active": false} // and not why (RFC 7662 §2.2)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the client has gone
}
