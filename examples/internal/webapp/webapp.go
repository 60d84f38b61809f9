// Package webapp is a small site for browsers: a start page for everybody, a
// sign-in page, and behind it a page with a script that calls an API. It knows
// no web framework: whatever answers a request is a [core.Endpoint], which each
// adapter mounts with its function Serve.
package webapp

import (
	"io/fs"

	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/session"
)

// SignInPath is where people sign in, and those who are signed in take another
// account.
const SignInPath = "/login"

// Site is what a server mounts. It is safe for concurrent use.
type Site struct {
	// Sessions begins and ends sessions.
	Sessions *session.Manager

	passwords basic.Verifier
	pages     *pages
	assets    *assets
	reports   *reports
}

// New makes a site of the folders static and templates. Passwords say who may
// sign in. What the files lack is an error here.
func New(files fs.FS, sessions *session.Manager, passwords basic.Verifier) (*Site, error) {
	assets, err := newAssets(files, "static")
	if err != nil {
		return nil, err
	}
	pages, err := newPages(files, "templates", assets.path)
	if err != nil {
		return nil, err
	}
	return &Site{sessions, passwords, pages, assets, newReports()}, nil
}
