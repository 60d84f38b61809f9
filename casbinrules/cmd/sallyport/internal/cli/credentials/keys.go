package credentials

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

// The names of the files of a key pair.
const (
	signingName     = "signing.pem"
	developmentName = "development.pem"
	jwksName        = "jwks.json"
)

func newKeys() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "keys",
		Short: "Make, convert and rotate the keys that tokens are signed with",
		Long: `keys makes the key pair of an issuer of tokens: a private key in PEM, for whoever
signs, and a JWK set with public keys only, for those who verify.`,
	}, newKeysNew(), newKeysJWKS(), newKeysRotate())
}

// pair names the files of a key pair.
type pair struct{ key, jwks, alg string }

func (p *pair) flags(cmd *cobra.Command, key string) {
	f := cmd.Flags()
	f.StringVar(&p.key, "key", "", "private key `file` in PEM (default "+key+")")
	f.StringVar(&p.jwks, "jwks", "", "JWK set `file` (default "+jwksName+" beside the key)")
	f.StringVar(&p.alg, "alg", "", "`algorithm` of the new key: ES256, ES384, ES512, EdDSA, RS256 to RS512 or PS256 to PS512 (default "+jwtsign.DefaultAlgorithm+")")
	_ = cmd.MarkFlagFilename("key", "pem") // fails for unknown flags only
	_ = cmd.MarkFlagFilename("jwks", "json")
}

func newKeysNew() *cobra.Command {
	var p pair
	var development bool
	cmd := &cobra.Command{
		Use:   "new [FILE]",
		Short: "Make a key pair: a private key and a JWK set",
		Long: `new makes a key pair, writes the private key to a new file for its owner alone
(mode 0600) and the public one to a new JWK set, and prints the names of both. It
overwrites nothing; to replace a key use "sallyport keys rotate". The kid is the
key's thumbprint (RFC 7638).

--development marks the pair: its tokens are good for programs on the same machine
only, and 503 for everybody else.`,
		Example: "  sallyport keys new\n  sallyport keys new --key signing.pem --jwks jwks.json --alg EdDSA",
		Args:    command.AtMostOne("a file for the private key"),
	}
	p.flags(cmd, signingName+", with --development "+developmentName)
	cmd.Flags().BoolVar(&development, "development", false, "make a key for trying things out on this machine")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 1 && p.key != "":
			return command.Usagef("the private key has two names, %s and %s: give one", args[0], p.key)
		case len(args) == 1:
			p.key = args[0]
		case p.key == "" && development:
			p.key = developmentName
		case p.key == "":
			p.key = signingName
		}
		p.besideKey()
		key, err := generate(p.alg, development)
		if err != nil {
			return err
		}
		if err := p.write(key); err != nil {
			return err
		}
		command.Say(cmd.OutOrStdout(), "%s\n%s\n", command.Plain(p.key), command.Plain(p.jwks))
		return nil
	}
	return cmd
}

func (p *pair) besideKey() {
	p.jwks = cmp.Or(p.jwks, filepath.Join(filepath.Dir(p.key), jwksName))
}

func keyOptions(alg string) (opts []jwtsign.KeyOption) {
	if alg != "" {
		opts = append(opts, jwtsign.WithAlgorithm(alg))
	}
	return opts
}

func generate(alg string, development bool) (*jwtsign.Key, error) {
	opts := keyOptions(alg)
	if development {
		opts = append(opts, jwtsign.WithDevelopment())
	}
	key, err := jwtsign.GenerateKey(opts...)
	if err != nil {
		return nil, command.Usage(err)
	}
	return key, nil
}

// DevelopmentPair makes a key pair for trying things out on this machine.
func DevelopmentPair(key, jwks string) error {
	k, err := generate("", true)
	if err != nil {
		return err
	}
	p := pair{key: key, jwks: jwks}
	return p.write(k)
}

// write writes both files, or none if one of them already exists.
func (p *pair) write(key *jwtsign.Key) error {
	for _, name := range []string{p.key, p.jwks} {
		if !atomicfile.NotThere(name) {
			return fmt.Errorf("%s already exists and is not overwritten: name other files with --key and --jwks, or replace the key with \"sallyport keys rotate\"", name)
		}
	}
	text, err := setText(key.Public())
	if err != nil {
		return err
	}
	if err := key.WritePEM(p.key); err != nil {
		return err
	}
	if err := atomicfile.WriteNew(p.jwks, os.O_WRONLY|os.O_CREATE|os.O_EXCL, string(text)); err != nil {
		return errors.Join(err, os.Remove(p.key))
	}
	return nil
}

// setText returns a JWK set of keys as written to a file.
func setText(keys ...*jwtauth.Key) ([]byte, error) {
	set, err := jwtauth.NewKeySet(keys...)
	if err != nil {
		return nil, err
	}
	text, err := set.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, err
	}
	return append(b.Bytes(), '\n'), nil
}

// privateKeyIn returns the private key in a directory with one of the default names.
func privateKeyIn(dir string) (string, error) {
	var found []string
	for _, name := range []string{signingName, developmentName} {
		if file := filepath.Join(dir, name); !atomicfile.NotThere(file) {
			found = append(found, file)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("there is no private key %s here: name one with --key, or make one with \"sallyport keys new\"", filepath.Join(dir, signingName))
	case 1:
		return found[0], nil
	}
	return "", command.Usagef("which key? %s and %s are here: name one with --key", found[0], found[1])
}

func newKeysJWKS() *cobra.Command {
	var asPEM bool
	cmd := &cobra.Command{
		Use:   "jwks FILE...",
		Short: "Turn keys in PEM into a JWK set, and back",
		Long: `jwks prints a JWK set of the keys in files: private or public keys in PEM, of which
the public part is taken, and JWK sets. With --pem it prints the keys as PEM.
Secrets are refused.`,
		Example: "  sallyport keys jwks signing.pem > jwks.json\n  sallyport keys jwks jwks.json other.pem\n  sallyport keys jwks --pem jwks.json",
		Args:    command.AtLeast(1, "files of keys"),
	}
	var alg string
	cmd.Flags().BoolVar(&asPEM, "pem", false, "print public keys in PEM in place of a JWK set")
	cmd.Flags().StringVar(&alg, "alg", "", "`algorithm` of RSA keys that do not say their own, such as RS256")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var keys []*jwtauth.Key
		for _, file := range args {
			more, err := publicKeys(file, alg)
			if err != nil {
				return err
			}
			for _, k := range more {
				if !slices.ContainsFunc(keys, func(have *jwtauth.Key) bool { return have.Thumbprint() == k.Thumbprint() }) {
					keys = append(keys, k)
				}
			}
		}
		text, err := setText(keys...)
		if asPEM {
			text = nil
			for _, k := range keys {
				var one []byte
				if one, err = k.MarshalPEM(); err != nil {
					return err
				}
				text = append(text, one...)
			}
		}
		if err == nil {
			command.Say(cmd.OutOrStdout(), "%s", text)
		}
		return err
	}
	return cmd
}

// publicKeys returns the public keys of a file, in PEM or in a JWK set.
func publicKeys(file, alg string) ([]*jwtauth.Key, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		var opts []jwtauth.KeySetOption
		if alg != "" {
			opts = append(opts, jwtauth.WithRSAAlgorithm(alg))
		}
		set, err := jwtauth.KeySetFromJWKS(file, data, opts...)
		if err != nil {
			return nil, err
		}
		return set.All(), nil
	}
	if bytes.Contains(data, []byte("PUBLIC KEY-----")) {
		unnamed, err := jwtauth.PEMKey("", alg, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		key, err := jwtauth.PEMKey(unnamed.Thumbprint(), alg, data)
		return []*jwtauth.Key{key}, err
	}
	key, err := openKey(file, alg)
	if err != nil {
		return nil, err
	}
	return []*jwtauth.Key{key.Public()}, nil
}

func newKeysRotate() *cobra.Command {
	var p pair
	var keep string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Replace the key that signs, and let the former one verify a while",
		Long: `rotate makes a new key, adds it to the JWK set, and puts it in the place of the
private key, whose file keeps its mode. The former key stays in the set, and
verifies for the time of --keep; package jwtauth passes it over from then on, and
the next rotation takes it out of the file. Its private part is gone.

The set is written first, so that nobody signs with a key that is not published.
Members of the set that this program does not know are dropped.`,
		Example: "  sallyport keys rotate\n  sallyport keys rotate --key signing.pem --keep 48h",
		Args:    command.NoArguments("name the private key with --key"),
	}
	p.flags(cmd, signingName+" or "+developmentName)
	cmd.Flags().StringVar(&keep, "keep", "24h", "`how long` the former key goes on verifying: a duration (24h, 7d), 0s for not at all, or forever")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		now := time.Now()
		var until time.Time
		switch keep {
		case "forever":
		case "0", "0s":
			until = now
		default:
			var err error
			if until, err = command.ParseExpiry(keep, now); err != nil || until.Before(now) {
				return command.Usagef("--keep %q is not a duration such as 24h or 7d, nor forever", keep)
			}
		}
		if p.key == "" {
			var err error
			if p.key, err = privateKeyIn("."); err != nil {
				return err
			}
		}
		p.besideKey()
		return p.rotate(cmd, now, until)
	}
	return cmd
}

// rotate replaces the key; until is when the former one stops verifying.
func (p *pair) rotate(cmd *cobra.Command, now, until time.Time) error {
	var former, next *jwtsign.Key
	set := func(text []byte, found bool) (_ []byte, err error) {
		if !found {
			return nil, fmt.Errorf("there is no JWK set %s: name it with --jwks, or make a pair with \"sallyport keys new\"", p.jwks)
		}
		if former, err = openKey(p.key, ""); err != nil {
			return nil, err
		}
		if next, err = generate(cmp.Or(p.alg, former.Algorithm()), former.Development()); err != nil {
			return nil, err
		}
		return rotatedSet(p.jwks, text, next, former, now, until)
	}
	if err := atomicfile.Edit(p.jwks, set); err != nil {
		return err
	}
	private, err := next.MarshalPEM()
	if err == nil {
		err = atomicfile.Edit(p.key, func([]byte, bool) ([]byte, error) { return private, nil })
	}
	if err != nil {
		return fmt.Errorf("the new key %s is in %s, and the former one still signs: %w", next.ID(), p.jwks, err)
	}
	end := "verifies until it is taken out of " + p.jwks
	switch {
	case !until.IsZero() && !now.Before(until):
		end = "verifies nothing any more"
	case !until.IsZero():
		end = "verifies until " + until.UTC().Format(time.RFC3339)
	}
	command.Say(cmd.ErrOrStderr(), "sallyport: %s signs from now on; %s %s\n", next.ID(), former.ID(), command.Plain(end))
	command.Say(cmd.OutOrStdout(), "%s\n", next.ID())
	return nil
}

// rotatedSet returns the text of a set with the new key first, and without keys
// that no longer verify.
func rotatedSet(name string, text []byte, next, former *jwtsign.Key, now, until time.Time) ([]byte, error) {
	set, err := jwtauth.KeySetFromJWKS(name, text)
	if err != nil {
		return nil, err
	}
	keys, known := []*jwtauth.Key{next.Public()}, false
	for _, k := range set.All() {
		if k.Thumbprint() == former.ID() {
			k, known = k.EndingAt(until), true
		}
		if k.Until().IsZero() || now.Before(k.Until()) {
			keys = append(keys, k)
		}
	}
	if !known {
		return nil, fmt.Errorf("%s does not hold the public part of the key that signs now: name the right files with --key and --jwks, or add it with \"sallyport keys jwks %s KEY\"",
			name, name)
	}
	return setText(keys...)
}
