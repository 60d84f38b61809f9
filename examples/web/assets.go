package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"

	"github.com/sallyport-go/sallyport/core"
)

// mediaTypes are those of the static files, by the ending of their names.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets are the static files. Their path holds a hash of all of them, so that
// browsers may keep each for ever, and modules can name one another as they are
// called in the folder, without a build step.
type assets struct {
	version, path string
	files         map[string]asset
}

type asset struct {
	body   []byte
	fields []core.Field
}

func newAssets(files fs.FS, folder string) (*assets, error) {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, err
	}
	a, hash := &assets{files: map[string]asset{}}, sha256.New()
	for _, e := range entries {
		mediaType := mediaTypes[path.Ext(e.Name())]
		if mediaType == "" {
			return nil, fmt.Errorf("static file %s: no media type for this ending", e.Name())
		}
		body, err := fs.ReadFile(files, path.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(hash, "%s %d\n", e.Name(), len(body))
		hash.Write(body)
		a.files[e.Name()] = asset{body, []core.Field{
			{Name: "Content-Type", Value: mediaType},
			{Name: "Cache-Control", Value: "public, max-age=31536000, immutable"},
			{Name: "Content-Security-Policy", Value: "default-src 'none'"},
			{Name: "X-Content-Type-Options", Value: "nosniff"},
		}}
	}
	a.version = base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:9])
	a.path = "/static/" + a.version
	return a, nil
}

// Static answers with the static file that the parameters version and file of
// the route name. They are public.
func (s *site) Static(ctx context.Context, r core.Request) core.Response {
	file, ok := s.assets.files[r.Param("file")]
	if !ok || r.Param("version") != s.assets.version {
		return s.NotFound(ctx, r)
	}
	return core.Response{Status: http.StatusOK, Fields: file.fields, Body: file.body}
}

// Robots lets crawlers look at everything: the gates are what keeps them out,
// and a page that may not be fetched could not say that it is not to be listed
// (RFC 9309 §2.2).
func (s *site) Robots(context.Context, core.Request) core.Response {
	return core.Response{
		Status: http.StatusOK,
		Fields: []core.Field{
			{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
			{Name: "Cache-Control", Value: "public, max-age=3600"},
			{Name: "X-Content-Type-Options", Value: "nosniff"},
		},
		Body: []byte("User-agent: *\nAllow: /\n"),
	}
}
