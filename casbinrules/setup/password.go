package setup

import (
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/htpasswd"
)

// basic is the scheme of passwords.
func (a *assembly) basic() (core.Authenticator, error) {
	c := a.config.Basic
	users, err := htpasswd.New()
	if err != nil {
		return nil, err
	}
	if err := a.load(string(c.Htpasswd), users); err != nil {
		return nil, a.doc.Wrap(err, &c.Htpasswd)
	}
	var verifier basic.Verifier = users
	if c.CacheTTL != 0 {
		if verifier, err = basic.NewCache(users, basic.WithCacheTTL(c.CacheTTL)); err != nil {
			return nil, a.doc.Wrap(err, &c.CacheTTL)
		}
	}
	var opts []basic.Option
	if c.TLSRequired {
		opts = append(opts, basic.WithTLSRequired())
	}
	return basic.New(a.config.Realm, verifier, opts...)
}
