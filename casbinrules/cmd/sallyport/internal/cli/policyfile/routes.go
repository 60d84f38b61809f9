package policyfile

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

// PublicFlag adds the flag for routes without a gate.
func PublicFlag(cmd *cobra.Command, public *[]string) {
	cmd.Flags().StringArrayVar(public, "public", nil, "`pattern` of routes without a gate, such as /assets/*; may be repeated")
}

// IsPublic reports whether one of the patterns of [PublicFlag] matches a route.
func IsPublic(public []string, method, path string) bool {
	return slices.ContainsFunc(public, func(pattern string) bool { return probe.Match(pattern, method, path) })
}

// ReadRoutes reads the routes of an application, as JSON.
func ReadRoutes(file string) ([]core.RouteInfo, error) { return ReadRoutesIn(hostFiles{}, file) }

// ReadRoutesIn reads them from another file system.
func ReadRoutesIn(fsys fs.FS, file string) ([]core.RouteInfo, error) {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("read routes: %w", err)
	}
	routes, err := ask.ParseRoutes(text)
	if err != nil {
		return nil, fmt.Errorf("read routes: %s: %w", file, err)
	}
	return routes, nil
}
