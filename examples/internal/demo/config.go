package demo

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/sallyport-go/sallyport/examples/policy"
)

// Flags is what the command line says. An empty string is the default, which
// is to be had by leaving the flag out: an empty value is an error, for it is
// more often a variable that was not set.
type Flags struct {
	// PolicyDir is a folder with a model and a policy, "" for those built in.
	PolicyDir string
	// Realm is the name of the protected area in challenges.
	Realm string
	// Issuer and Audience are the iss and aud that tokens must have.
	Issuer, Audience string
	// Introspect is the URL of the issuer's introspection endpoint, or "".
	Introspect string
	// Basic and DigestMD5 say whether to offer those.
	Basic, DigestMD5 bool
	// Digest and APIKeys are files of credentials, "" not to offer the scheme.
	Digest, APIKeys string
	// Limit is how often sign-ins from one address may fail at once, 0 for no
	// limit.
	Limit int

	addr, jwks, users, accountsURL string
	introspectID, introspectSecret string
}

// flagSet is the flags, which parsing puts into c.
func flagSet(c *Flags) *flag.FlagSet {
	flags := flag.NewFlagSet("reports", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller tells of errors
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&c.PolicyDir, "policy", "", "`directory` with model.conf and policy.csv, reloaded when edited (default: those of examples/policy, built in)")
	flags.StringVar(&c.Realm, "realm", "reports", "`name` of the protected area, shown in challenges and a part of each hash in the -digest file")
	flags.StringVar(&c.jwks, "jwks", "", "`file or URL` of the token issuer's JWK set: a file is reloaded when edited, a URL is https, or http on loopback, and fetched again and again; needs -issuer and -audience (default: a new key, with tokens printed)")
	flags.StringVar(&c.Issuer, "issuer", "", "`name` of the token issuer, the iss of its tokens")
	flags.StringVar(&c.Audience, "audience", "", "`name` of this service, to be in the aud of tokens")
	flags.StringVar(&c.Introspect, "introspect", "", "`URL` of the issuer's introspection endpoint (RFC 7662), https, or http on loopback, asked about tokens that are no JWTs; needs -issuer, -audience, -introspect-id and -introspect-secret (default: such tokens are refused)")
	flags.StringVar(&c.introspectID, "introspect-id", "", "client `ID` of this service at the introspection endpoint")
	flags.StringVar(&c.introspectSecret, "introspect-secret", "", "`file` with the client's secret in its first line")
	flags.StringVar(&c.users, "users", "", "htpasswd `file` with bcrypt or argon2id hashes, reloaded when edited (default: the demo users, built in)")
	flags.BoolVar(&c.Basic, "basic", true, "offer Basic; -basic=false for passwords by Digest alone")
	flags.StringVar(&c.Digest, "digest", "", "htdigest `file` with SHA-256 hashes, reloaded when edited (default: Digest is not offered)")
	flags.BoolVar(&c.DigestMD5, "digest-md5", false, "offer Digest with MD5 too, for clients that know nothing else; needs -digest")
	flags.StringVar(&c.APIKeys, "apikeys", "", "`file` of API keys, reloaded when edited; keys come in X-API-Key (default: API keys are not accepted)")
	flags.StringVar(&c.accountsURL, "accounts", "", "`URL` of an account service, asked with ?id=NAME (default: built in, sam is suspended)")
	flags.IntVar(&c.Limit, "limit", 0, "`number` of failed sign-ins that an address may have at once before it gets 429, and 10 a minute after that; also limits each account (default: no limit)")
	return flags
}

// parse reads the flags. For -help it writes what they are to w and returns
// [flag.ErrHelp].
func parse(args []string, w io.Writer) (Flags, error) {
	var c Flags
	flags := flagSet(&c)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(w)
		flags.PrintDefaults()
		return c, err
	case err != nil:
		return c, fmt.Errorf("%w; see -help", err)
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q: all settings are flags, see -help", flags.Arg(0))
	}
	if name := emptyFlag(flags); name != "" {
		return c, fmt.Errorf("-%s is empty: give a value, or leave the flag out for the default", name)
	}
	return c, c.check()
}

// check finds flags that do not go together.
func (c Flags) check() error {
	if info, err := os.Stat(c.PolicyDir); err == nil && !info.IsDir() {
		return fmt.Errorf("-policy wants a directory with %s and %s, and %s is a file", policy.Model, policy.Rules, c.PolicyDir)
	}
	anonymous := c.Issuer == "" || c.Audience == ""
	client := c.introspectID != "" || c.introspectSecret != ""
	switch {
	case c.jwks != "" && anonymous:
		return errors.New("-jwks needs -issuer and -audience: without them a token made for any other service would be good here")
	case c.Introspect != "" && anonymous:
		return errors.New("-introspect needs -issuer and -audience: without them a token made for any other service would be good here")
	case c.Introspect != "" && (c.introspectID == "" || c.introspectSecret == ""):
		return errors.New("-introspect needs -introspect-id and -introspect-secret: an endpoint answers nobody it does not know")
	case c.Introspect == "" && client:
		return errors.New("-introspect-id and -introspect-secret are for -introspect, which is not given")
	case !c.Basic && c.users != "":
		return errors.New("-users is for Basic, which -basic=false leaves out")
	case c.DigestMD5 && c.Digest == "":
		return errors.New("-digest-md5 needs -digest: there is no built-in file")
	case c.Limit < 0:
		return fmt.Errorf("-limit %d: give how many sign-ins may fail, or leave the flag out for no limit", c.Limit)
	}
	return nil
}

// emptyFlag is the name of a flag that was given an empty value, or "".
func emptyFlag(flags *flag.FlagSet) (name string) {
	flags.Visit(func(f *flag.Flag) {
		if f.Value.String() == "" {
			name = f.Name
		}
	})
	return name
}
