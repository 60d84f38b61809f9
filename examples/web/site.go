package main

import (
	"io/fs"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/session"
)

// signInPath is where people sign in, and those who are signed in take another
// account.
const signInPath = "/login"

// site is what the routes need: guards, and endpoints that know no framework. It
// is safe for concurrent use.
type site struct {
	// guard lets people with a session pass, and authorizes by the policy file.
	// Its refusals are pages for those who open a page, a redirect to the
	// sign-in page among them, and problem details for scripts.
	guard *core.Guard
	// sessions begins and ends sessions.
	sessions *session.Manager

	passwords basic.Verifier
	pages     *pages
	assets    *assets
	reports   *reports
}

// show adds the pages of the folders static and templates. What these lack is an
// error here.
func (s *site) show(files fs.FS) (err error) {
	if s.assets, err = newAssets(files, "static"); err != nil {
		return err
	}
	s.pages, err = newPages(files, "templates", s.assets.path)
	return err
}
