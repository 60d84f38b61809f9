package credentials

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

type tokenFlags struct {
	config, issuer, key, alg, client, expires string
	audience, roles, scopes, claims           []string
}

func newToken() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token SUBJECT",
		Short: "Sign an access token to try a service with",
		Long: `token signs an access token (RFC 9068) for a subject and prints it, and nothing
else. In a folder with a sallyport.yaml, such as one that "sallyport init
--framework" has written, it needs no flags: issuer and audience are those of the
file, and the key is the private one beside its JWK set. If the file has several
issuers, the first is meant, or the one that --issuer names.

--claim NAME=VALUE adds a claim that is a text, or a list of texts where the name
is given again; --claim NAME:=JSON adds any other value.`,
		Example: `  curl -H "Authorization: Bearer $(sallyport token erin)" http://127.0.0.1:8080/reports
  sallyport token erin --role editor --scope reports:read --claim region=eu --expires 15m
  sallyport token erin --key signing.pem --issuer https://issuer.example --audience reports`,
		Args: command.Exactly(1, "the subject, such as erin"),
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.roles, "role", nil, "`role` that the token brings; may be repeated")
	flags.StringSliceVar(&f.scopes, "scope", nil, "`scope` of the token; may be repeated")
	flags.StringArrayVar(&f.claims, "claim", nil, "further claim as `name=value`, or NAME:=JSON; may be repeated")
	flags.StringVar(&f.expires, "expires", "1h", "`when` the token expires: a duration (15m, 90d), the last day (2027-01-31), or a time in RFC 3339")
	flags.StringVar(&f.issuer, "issuer", "", "`issuer` (default that of sallyport.yaml)")
	flags.StringSliceVar(&f.audience, "audience", nil, "`service` that the token is for; may be repeated (default that of sallyport.yaml)")
	flags.StringVar(&f.client, "client", "sallyport", "`ID` of the client that the token is issued to")
	flags.StringVar(&f.key, "key", "", "private key `file` in PEM (default the one beside the JWK set: "+signingName+" or "+developmentName+")")
	flags.StringVar(&f.alg, "alg", "", "`algorithm` of an RSA key that does not say its own")
	flags.StringVarP(&f.config, "config", "c", "", "configuration `file` (default "+policyfile.ConfigName+", if it is there)")
	_ = cmd.MarkFlagFilename("key", "pem") // fails for unknown flags only
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		token, err := f.sign(args[0], time.Now())
		if err == nil {
			command.Say(cmd.OutOrStdout(), "%s\n", token)
		}
		return err
	}
	return cmd
}

func (f *tokenFlags) sign(subject string, now time.Time) (string, error) {
	claims, err := parseClaims(f.claims)
	if err != nil {
		return "", err
	}
	until, err := command.Expiry(f.expires, now)
	if err != nil {
		return "", err
	}
	if until.IsZero() {
		return "", command.Usagef("--expires is empty: a token has an end, such as 15m")
	}
	key, err := f.settle()
	if err != nil {
		return "", err
	}
	signer, err := jwtsign.New(key, jwtsign.WithIssuer(f.issuer), jwtsign.WithAudience(f.audience...), jwtsign.WithClient(f.client))
	if err != nil {
		return "", err
	}
	token, err := signer.Sign(jwtsign.Token{Subject: subject, Roles: f.roles, Scopes: f.scopes, Claims: claims, Lifetime: until.Sub(now)})
	if err != nil {
		return "", command.Usage(err)
	}
	return token, nil
}

// settle takes what the flags do not specify from the configuration, and reads the key.
func (f *tokenFlags) settle() (*jwtsign.Key, error) {
	name := cmp.Or(f.config, policyfile.ConfigName)
	dir, jwks := ".", ""
	found, err := setup.ReadIssuer(name, f.issuer)
	switch {
	case err == nil:
		dir, jwks = filepath.Dir(name), found.JWKS
		if jwks != "" {
			dir = filepath.Dir(jwks)
		}
		f.issuer = cmp.Or(f.issuer, found.Issuer)
		if len(f.audience) == 0 {
			f.audience = found.Audience
		}
	case errors.Is(err, fs.ErrNotExist) && f.config == "" && atomicfile.NotThere(name):
	case f.config == "" && f.issuer != "" && len(f.audience) > 0 && f.key != "":
	default:
		return nil, err
	}
	switch {
	case f.issuer == "":
		return nil, command.Usagef("which issuer? there is no %s here: name it with --issuer, or begin with \"sallyport init --framework ...\"", name)
	case len(f.audience) == 0:
		return nil, command.Usagef("for which service? there is no %s here: name it with --audience", name)
	}
	file, given := f.key, f.key != ""
	if !given {
		if file, err = privateKeyIn(dir); err != nil {
			return nil, err
		}
	}
	key, err := openKey(file, f.alg)
	if err == nil && !given && jwks != "" {
		err = inSet(key, file, jwks)
	}
	return key, err
}

func openKey(file, alg string) (*jwtsign.Key, error) {
	return jwtsign.OpenPEM(file, keyOptions(alg)...)
}

// inSet returns an error for a key whose tokens the service would not accept.
func inSet(key *jwtsign.Key, file, jwks string) error {
	set, err := jwtauth.OpenJWKS(jwks)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(set.All(), func(k *jwtauth.Key) bool { return k.ID() == key.ID() }) {
		return nil
	}
	return fmt.Errorf("%s is not a key of %s, so the service would not take its tokens: add it to the set with \"sallyport keys jwks %s %s\", or name another with --key", file, jwks, jwks, file)
}

// parseClaims parses --claim NAME=VALUE and NAME:=JSON.
func parseClaims(given []string) (map[string]any, error) {
	claims := map[string]any{}
	for _, claim := range given {
		name, value, ok := strings.Cut(claim, "=")
		if !ok || strings.TrimSuffix(name, ":") == "" {
			return nil, command.Usagef("--claim %s: write NAME=VALUE, such as region=eu, or NAME:=JSON", claim)
		}
		if name, isJSON := strings.CutSuffix(name, ":"); isJSON {
			if claims[name] != nil {
				return nil, command.Usagef("--claim %s is given twice", name)
			}
			if !json.Valid([]byte(value)) {
				return nil, command.Usagef("--claim %s:=%s: this is not JSON; a text is written %s=%s", name, value, name, value)
			}
			claims[name] = json.RawMessage(value)
			continue
		}
		switch before := claims[name].(type) {
		case nil:
			claims[name] = value
		case string:
			claims[name] = []string{before, value}
		case []string:
			claims[name] = append(before, value)
		default:
			return nil, command.Usagef("--claim %s is given twice", name)
		}
	}
	return claims, nil
}
