package reports

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/sallyport-go/sallyport/examples/policy"
)

// config is what the command line says. An empty string is the default, which
// is to be had by leaving the flag out: an empty value is an error, for it is
// more often a variable that was not set.
type config struct {
	addr, policyDir, usersFile string
	keysFile, issuer, audience string
	realm, accountsURL         string
}

// parse reads the flags. For -help it writes what they are to w and returns
// [flag.ErrHelp].
func parse(args []string, w io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("reports", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller tells of errors
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&c.policyDir, "policy", "", "`directory` with model.conf and policy.csv (default: those of examples/policy, built in)")
	flags.StringVar(&c.usersFile, "users", "", "htpasswd `file` with bcrypt hashes (default: the demo users, built in)")
	flags.StringVar(&c.keysFile, "jwks", "", "`file` with the token issuer's JWK set; needs -issuer and -audience (default: a new key, with tokens printed)")
	flags.StringVar(&c.issuer, "issuer", "", "`name` of the token issuer, the iss of its tokens")
	flags.StringVar(&c.audience, "audience", "", "`name` of this service, to be in the aud of tokens")
	flags.StringVar(&c.realm, "realm", "reports", "`name` of the protected area, shown in challenges")
	flags.StringVar(&c.accountsURL, "accounts", "", "`URL` of an account service, asked with ?id=NAME (default: built in, sam is suspended)")
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
	if c.keysFile != "" && (c.issuer == "" || c.audience == "") {
		return c, errors.New("-jwks needs -issuer and -audience: without them a token made for any other service would be good here")
	}
	if info, err := os.Stat(c.policyDir); err == nil && !info.IsDir() {
		return c, fmt.Errorf("-policy wants a directory with %s and %s, and %s is a file", policy.Model, policy.Rules, c.policyDir)
	}
	return c, nil
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
