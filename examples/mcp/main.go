// Command mcp is a server of the Model Context Protocol behind a guard: each request
// carries a token for this server only, the policy says who may call which tool, and a
// tool that needs a scope asks for it when it is called.
//
// To copy it, drop what comes from authserver.go, which stands for your
// authorization server and lets everybody in: replace its keys by those of your
// issuer with jwtauth.Discover. The tools are in tools.go.
package main

import (
	"embed"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/metadata"
)

//go:embed policy
var files embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	app, err := newApp("http://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	_, _ = fmt.Fprintf(os.Stdout, "listening on http://%s\n", l.Addr())
	server := &http.Server{Handler: app, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	log.Fatal(server.Serve(l))
}

// service is the MCP server.
type service struct {
	guard  *core.Guard
	policy core.Authorizer
	tools  []tool
	next   http.Handler // the SDK's
}

// newApp returns an authorization server and an MCP server at base, such as
// "http://127.0.0.1:8080".
func newApp(base string) (http.Handler, error) {
	issuer, err := newAuthServer(base + "/issuer")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	issuer.mount(mux)
	if err := mountMCP(mux, base+"/mcp", issuer.issuer, issuer.keys); err != nil {
		return nil, err
	}
	return mux, nil
}

// mountMCP serves resource, the address at which clients know the MCP server, and its
// metadata. Tokens are issued by issuer and signed with one of keys.
func mountMCP(mux *http.ServeMux, resource, issuer string, keys jwtauth.KeySource) error {
	document, err := metadata.New(resource, metadata.WithAuthorizationServers(issuer), metadata.WithScopes(readScope))
	if err != nil {
		return err
	}
	verifier, err := jwtauth.New(keys, jwtauth.WithIssuer(issuer), jwtauth.WithAudience(resource))
	if err != nil {
		return err
	}
	tokens, err := bearer.New("mcp", verifier, bearer.WithResourceMetadata(document.URL()), bearer.WithScopes(readScope))
	if err != nil {
		return err
	}
	policy, err := casbinrules.OpenFS(files, casbinrules.ModelFile("policy/model.conf"), []string{"policy/policy.csv"})
	if err != nil {
		return err
	}
	guard, err := core.NewGuard([]core.Authenticator{tokens}, core.WithAuthorizer(policy))
	if err != nil {
		return err
	}
	s := &service{guard: guard, policy: policy, tools: newTools()}
	// Stateless: a session does not authenticate, so there is none.
	s.next = mcp.NewStreamableHTTPHandler(s.serverFor, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})

	mux.Handle("GET "+document.Path(), httpauth.Serve(document.Endpoint())) // public
	sameOrigin := http.NewCrossOriginProtection()
	mux.Handle("/mcp", httpauth.Authenticate(guard)(sameOrigin.Handler(s)))
	return nil
}
