package scenario

import (
	"time"

	"github.com/sallyport-go/sallyport/core/apikey"
)

// keyring is API keys by name, and the file that a server knows them by.
type keyring struct {
	keys map[string]string
	file []byte
}

func newKeyring() (*keyring, error) {
	k := &keyring{keys: map[string]string{"no key at all": "guess"}}
	now := time.Now()
	for _, key := range []struct {
		name string
		info apikey.Info
		// wrong says that the file has the hash of another secret.
		wrong bool
	}{
		{"erin's key", apikey.Info{Owner: "erin"}, false},
		{"a build job's key", apikey.Info{Owner: "ci-bot", Roles: []string{"viewer"}, Scopes: []string{"reports:read"}}, false},
		{"expired key", apikey.Info{Owner: "alice", Expires: now.Add(-lifetime)}, false},
		{"revoked key", apikey.Info{Owner: "alice", Revoked: now}, false},
		{"key with another secret", apikey.Info{Owner: "alice"}, true},
		{"guess at a key", apikey.Info{Owner: "alice"}, true},
	} {
		k.keys[key.name], key.info.ID, key.info.Hash = apikey.Generate()
		if key.wrong {
			_, _, key.info.Hash = apikey.Generate()
		}
		var err error
		if k.file, err = apikey.Append(keysFile, k.file, key.info); err != nil {
			return nil, err
		}
	}
	k.keys["unknown key"], _, _ = apikey.Generate()
	return k, nil
}
