package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/openapi"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/probe"
)

const routesName = "routes.json"

type openAPIFlags struct {
	config, routes, output, title string
	public                        []string
}

func newOpenAPI() *cobra.Command {
	f := &openAPIFlags{}
	cmd := &cobra.Command{
		Use:   "openapi",
		Short: "Write how a guard refuses into an OpenAPI file",
		Long: `openapi writes into an OpenAPI file what clients have to know of a guard: its
schemes, which of them each route takes, and the answers 401, 403, 429 and 503 with
their header fields and bodies. The guard is that of a configuration file, and the
answers are those that it gives.

Routes are those that Routes of an adapter lists, written as JSON into routes.json:

    [{"method": "GET", "pattern": "/reports/:id"}]

A file of -o that is there is merged with, and loses nothing that it holds: an
answer, a security requirement or a component that it has of its own stays. Without
routes.json its own operations are the routes. A new file is OpenAPI 3.1.`,
		Example: `  sallyport openapi --public /healthz -o openapi.yaml`,
		Args:    command.NoArguments("name the routes with --routes, and the document with -o"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	configFlag(cmd, &f.config)
	fl := cmd.Flags()
	fl.StringVar(&f.routes, "routes", "", "JSON `file` with the routes of the application (default "+routesName+", if it is there)")
	policyfile.PublicFlag(cmd, &f.public)
	fl.StringVarP(&f.output, "output", "o", "", "write to `file`, JSON if its name ends in .json, and keep what it holds")
	fl.StringVar(&f.title, "title", "", "`title` of a new document (default the realm)")
	return cmd
}

func (f *openAPIFlags) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := setup.Open(f.config, setup.WithLogger(log), setup.WithoutWrites())
	if err != nil {
		return refuseConfig(cmd, err)
	}
	defer func() { _ = s.Close() }()
	doc, isNew, err := f.document(ctx, s)
	if err != nil {
		return err
	}
	routes, err := f.readRoutes(ctx, s, isNew)
	if err != nil {
		return err
	}
	guard := openapi.Guard{Schemes: s.Schemes(), Answers: openapi.Answers(s.Guard(), requestFor)}
	notes, err := doc.Merge(guard, routes, f.isPublic)
	if err != nil {
		return err
	}
	switch wrong := doc.Check(ctx); {
	case doc.Wrong() != nil:
		notes = append(notes, fmt.Sprintf("%s was no valid OpenAPI before, and is written all the same: %s", f.output, doc.Wrong()))
	case wrong != nil:
		return fmt.Errorf("the result is not valid OpenAPI, and nothing is written: %w", wrong)
	}
	for _, n := range notes {
		command.Say(cmd.ErrOrStderr(), "note: %s\n", command.Plain(n))
	}
	content, err := doc.Bytes()
	if err != nil {
		return err
	}
	return atomicfile.PrintOrWrite(cmd, f.output, content)
}

// document returns the document of -o, or a new one.
func (f *openAPIFlags) document(ctx context.Context, s *setup.Setup) (doc *openapi.Document, isNew bool, err error) {
	if f.output != "" {
		switch text, err := os.ReadFile(f.output); {
		case err == nil && len(text) > 0:
			doc, err := openapi.Parse(ctx, f.output, text)
			return doc, false, err
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, false, fmt.Errorf("read OpenAPI: %w", err)
		}
	}
	doc = openapi.New(cmp.Or(f.title, s.Realm()))
	if filepath.Ext(f.output) == ".json" {
		doc.AsJSON()
	}
	return doc, true, nil
}

// readRoutes returns the routes of the application, nil for those of the document.
func (f *openAPIFlags) readRoutes(ctx context.Context, s *setup.Setup, isNew bool) ([]openapi.Route, error) {
	file := cmp.Or(f.routes, routesName)
	if f.routes == "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			if isNew {
				return nil, command.Usagef("there is no %s: write what Routes of the adapter lists into it, as JSON, or name another file with --routes", file)
			}
			return nil, nil
		}
	}
	list, err := policyfile.ReadRoutes(file)
	if err != nil {
		return nil, err
	}
	var routes []openapi.Route
	for _, r := range list {
		if r.Method == http.MethodHead && slices.Contains(list, core.RouteInfo{Method: http.MethodGet, Pattern: r.Pattern}) {
			continue // whose answers are those to GET
		}
		routes = append(routes, openapi.Route{
			RouteInfo: r, Public: f.isPublic(r.Method, r.Pattern),
			Anonymous: passesAnonymous(ctx, s.Policy(), r),
		})
	}
	return routes, nil
}

// passesAnonymous reports whether the policy lets requests without credentials
// through a route.
func passesAnonymous(ctx context.Context, policy *casbinrules.Authorizer, r core.RouteInfo) bool {
	if policy == nil {
		return false
	}
	a := core.Access{Action: r.Method, Resource: core.Resource{Route: r.Pattern, Path: probe.SamplePath(r.Pattern, "1")}, Request: requestFor("")}
	d, err := policy.AuthorizeAnonymous(ctx, a)
	return err == nil && d.Allowed
}

func (f *openAPIFlags) isPublic(method, path string) bool {
	return policyfile.IsPublic(f.public, method, path)
}

// requestFor returns a request without credentials that accepts a media type, "" for any.
func requestFor(accept string) core.Request {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Header: http.Header{}, Host: "example.com", RequestURI: "/", RemoteAddr: "192.0.2.1:1"}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	return httpauth.Request(r)
}
