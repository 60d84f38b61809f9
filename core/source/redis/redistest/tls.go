//go:build unix

package redistest

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// StartTLS starts a server that only accepts TLS, with a certificate for 127.0.0.1 that no
// system trusts. ca is a PEM file with the issuer's certificate; args are as for [Start].
func StartTLS(t testing.TB, args ...string) (s *Server, ca string) {
	t.Helper()
	web := httptest.NewTLSServer(nil) // provides a certificate
	defer web.Close()
	pair := web.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	save := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca = save("cert.pem", "CERTIFICATE", pair.Certificate[0]) // the certificate is self-signed
	port := authtest.FreePort(t)
	return start(t, "rediss", port, append([]string{
		"--port", "0", "--tls-port", port, "--tls-auth-clients", "no",
		"--tls-cert-file", ca, "--tls-key-file", save("key.pem", "PRIVATE KEY", key),
	}, args...)), ca
}
