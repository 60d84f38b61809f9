package reports

import (
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/examples/policy"
)

// newSchemes are the schemes in the order of their challenges: the better
// before the worse, and those of a name of our own behind those that every
// client knows, since some clients stop reading at the first they do not know.
func newSchemes(c config, t *tokens, f *files) ([]core.Authenticator, error) {
	byToken, err := bearer.New(c.realm, t.verifier)
	if err != nil {
		return nil, err
	}
	schemes := []core.Authenticator{byToken}
	for _, scheme := range []struct {
		wanted bool
		make   func(config, *files) (core.Authenticator, error)
	}{
		{c.digestFile != "", newDigest},
		{c.basic, newBasic},
		{c.keysFile != "", newAPIKeys},
	} {
		if !scheme.wanted {
			continue
		}
		a, err := scheme.make(c, f)
		if err != nil {
			return nil, err
		}
		schemes = append(schemes, a)
	}
	return schemes, nil
}

func newDigest(c config, f *files) (core.Authenticator, error) {
	var accepted []digest.FileOption
	var offered []digest.Option
	if c.digestMD5 {
		accepted, offered = append(accepted, digest.AcceptMD5()), append(offered, digest.Also(digest.MD5))
	}
	users, err := digest.NewFile(c.realm, accepted...)
	if err != nil {
		return nil, err
	}
	if err := f.load(c.digestFile, users); err != nil {
		return nil, err
	}
	return digest.New(c.realm, users, offered...)
}

// newBasic remembers right passwords for a while, so that not each image of a
// page costs a password hash.
func newBasic(c config, f *files) (core.Authenticator, error) {
	// An example takes the cost htpasswd gives by default, and any other. Keep
	// the package's own limit in production.
	users, err := htpasswd.New(htpasswd.MinCost(4))
	if err != nil {
		return nil, err
	}
	if err := loadUsers(c.usersFile, users, f); err != nil {
		return nil, err
	}
	remembered, err := basic.NewCache(users)
	if err != nil {
		return nil, err
	}
	return basic.New(c.realm, remembered)
}

func loadUsers(file string, into *htpasswd.File, f *files) error {
	if file != "" {
		return f.load(file, into)
	}
	text, err := policy.Files.ReadFile(policy.Users)
	if err != nil {
		return err
	}
	return into.Load(policy.Users, text)
}

func newAPIKeys(c config, f *files) (core.Authenticator, error) {
	keys := new(apikey.File)
	if err := f.load(c.keysFile, keys); err != nil {
		return nil, err
	}
	return apikey.New(c.realm, keys)
}
