package recipes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// hosts are those of all providers on the pages.
var hosts = []string{
	"keycloak.example", "acme.eu.auth0.com", "login.microsoftonline.com",
	"accounts.google.com", "www.googleapis.com", "acme-x1y2z3.zitadel.cloud", "token.actions.githubusercontent.com",
	"acme.okta.com", "cognito-idp.eu-central-1.amazonaws.com", "hydra.example", "dex.example",
}

// internet is what is found at addresses, by host and path.
var internet struct {
	sync.RWMutex
	documents map[string]http.HandlerFunc
}

// publish puts a JSON document at an https address.
func publish(t *testing.T, address string, document any) {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	answer(t, address, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	})
}

func answer(t *testing.T, address string, handler http.HandlerFunc) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	internet.Lock()
	defer internet.Unlock()
	internet.documents[u.Host+u.Path] = handler
}

func serve(w http.ResponseWriter, r *http.Request) {
	internet.RLock()
	handler := internet.documents[r.Host+r.URL.Path]
	internet.RUnlock()
	if handler == nil {
		http.NotFound(w, r)
		return
	}
	handler(w, r)
}

// TestMain leads what goes to https://HOST to serve: by the proxy of the
// environment, and a certificate that is the only root there is. Both are read
// once, at the first request.
func TestMain(m *testing.M) {
	internet.documents = map[string]http.HandlerFunc{}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	certificate, root, err := newCertificate()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "recipes")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, root, 0o600); err != nil {
		return 0, err
	}
	providers := httptest.NewUnstartedServer(http.HandlerFunc(serve))
	providers.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	providers.StartTLS()
	defer providers.Close()
	proxy := httptest.NewServer(connectTo(providers.Listener.Addr().String()))
	defer proxy.Close()
	for name, value := range map[string]string{
		"SSL_CERT_FILE": roots, "SSL_CERT_DIR": dir, "HTTPS_PROXY": proxy.URL, "https_proxy": "", "NO_PROXY": "", "no_proxy": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			return 0, err
		}
	}
	return m.Run(), nil
}

// newCertificate is one for all hosts that is its own root.
func newCertificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "providers"}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// connectTo is a proxy that leads every tunnel (RFC 9110 §9.3.6) to one address.
func connectTo(address string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "no tunnel", http.StatusMethodNotAllowed)
			return
		}
		server, err := net.Dial("tcp", address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = server.Close() }()
		client, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = client.Close() }()
		if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(server, buffered)
			_ = server.Close()
		}()
		_, _ = io.Copy(client, server)
	}
}
