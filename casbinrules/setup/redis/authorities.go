package redis

import (
	"crypto/x509"
	"fmt"
	"os"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
)

// authorities loads the certificates in ca; nil means the system's.
func authorities(ca setup.File) (*x509.CertPool, error) {
	if ca == "" {
		return nil, nil
	}
	text, err := os.ReadFile(string(ca))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("ca: no certificate in %s: it has a PEM block CERTIFICATE for each authority", ca)
	}
	return pool, nil
}
