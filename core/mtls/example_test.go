package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/mtls"
)

func Example() {
	authorities := x509.NewCertPool() // filled by AppendCertsFromPEM
	scheme, err := mtls.New("reports", mtls.SPIFFE("example.org"))
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /reports", httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, httpauth.Principal(r).ID())
	})))
	server := &http.Server{Handler: mux, TLSConfig: &tls.Config{
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: authorities, MinVersion: tls.VersionTLS13,
	}}
	fmt.Println(scheme.Challenges(nil, core.ErrNoCredentials)[0], server.TLSConfig.ClientAuth)
	// Output: ClientCertificate realm="reports" VerifyClientCertIfGiven
}
