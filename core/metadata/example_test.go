package metadata_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/metadata"
)

func ExampleNew() {
	document, err := metadata.New("https://api.example/v1",
		metadata.WithAuthorizationServers("https://issuer.example"), metadata.WithScopes("reports:read"))
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+document.Path(), httpauth.Serve(document.Endpoint()))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-protected-resource/v1", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Print(w.Body)
	fmt.Println("for challenges:", document.URL())
	// Output:
	// 200 application/json
	// {"resource":"https://api.example/v1","authorization_servers":["https://issuer.example"],"scopes_supported":["reports:read"],"bearer_methods_supported":["header"]}
	// for challenges: https://api.example/.well-known/oauth-protected-resource/v1
}
