package proxies_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
)

// TestBundle follows a bundle that nginx and Caddy hand out as a file: each of a few
// publications is seen, also those of one second and of one size.
func TestBundle(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T, dir string) string{
		"nginx": func(t *testing.T, dir string) string {
			return startNginx(t, "gzip on;\ngzip_types *;\ngzip_min_length 1;\nserver {\nlisten 80;\nroot "+dir+";\nadd_header Cache-Control no-cache;\n}\n")
		},
		"caddy": func(t *testing.T, dir string) string {
			return startCaddy(t, "\n:80 {\nroot * "+dir+"\nencode gzip\nfile_server\n}\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
			file, err := bundle.NewFile(filepath.Join(dir, "app.bundle"), "default", nil, key)
			if err != nil {
				t.Fatal(err)
			}
			publish := func(base source.Revision) {
				t.Helper()
				p := source.Publication{Base: base, Files: []source.File{{Name: "policy.csv", Content: fmt.Appendf(nil, "p, ann, /%d, GET\n", base)}}, Note: source.Note{Author: "ann"}}
				if _, err := file.Publish(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			publish(0)
			src, err := bundle.New("http://"+start(t, dir)+"/app.bundle", []ed25519.PublicKey{key.Public().(ed25519.PublicKey)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = src.Close() }()
			f, err := source.Follow(t.Context(), src, func(context.Context, *source.Content) error { return nil }, source.WithPollInterval(100*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
			defer cancel()
			for r := source.Revision(1); r < 6; r++ {
				publish(r)
				if err := f.WaitFor(ctx, r+1); err != nil {
					t.Fatal(err)
				}
			}
			if st := f.Status(); st.Listening || st.ListenErr != nil || st.Err != nil {
				t.Errorf("%+v", st)
			}
		})
	}
}
