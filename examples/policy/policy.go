// Package policy holds the files the example servers run with unless they are
// given others: a Casbin model, a policy to edit, and the demo users.
package policy

import "embed"

// The names of the files in [Files].
const (
	Model = "model.conf"
	Rules = "policy.csv"
	Users = "users.htpasswd"
	// Digest is the same users for the Digest scheme, in the realm "reports".
	Digest = "users.htdigest"
)

// Files holds [Model], [Rules], [Users] and [Digest]. Each demo user's password is the
// name followed by "-pass".
//
//go:embed model.conf policy.csv users.htpasswd users.htdigest
var Files embed.FS
