package stores

import (
	"cmp"
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	shared "github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/redis"
)

// storeVariable is the environment variable that can replace --store, since other
// users of a machine can read command lines.
const storeVariable = "SALLYPORT_STORE"

// storeTimeout bounds the use of a store by one command.
const storeTimeout = time.Minute

// storeFlags select the store of policies.
type storeFlags struct {
	location
	set         string
	publicKeys  []string
	privateKeys []string
	expires     string // expiry of what is published; "" for never
}

type location struct {
	url        string
	unverified bool
}

func (l *location) add(cmd *cobra.Command, role string) {
	cmd.Flags().StringVar(&l.url, "store", "", "`URL` of the store, such as postgres://"+role+"@db.example/app?sslmode=verify-full (default $"+storeVariable+")")
	cmd.Flags().BoolVar(&l.unverified, "unverified-server", false, "connect to another machine without verifying that it is the right one")
}

func (f *storeFlags) add(cmd *cobra.Command) {
	f.location.add(cmd, "publisher")
	cmd.Flags().StringVar(&f.set, "set", "default", "`name` of the set of files, in a store with several")
	cmd.Flags().StringArrayVar(&f.publicKeys, "public-key", nil, "`file` of public keys in PEM by which a bundle is verified; may be repeated")
	_ = cmd.MarkFlagFilename("public-key", "pem", "pub") // fails for unknown flags only
}

func (f *storeFlags) addSigning(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.privateKeys, "key", nil, "`file` of a private key in PEM with which a bundle is signed; may be repeated")
	_ = cmd.MarkFlagFilename("key", "pem") // fails for unknown flags only
	cmd.Flags().StringVar(&f.expires, "expires", "", "`when` instances no longer take a bundle for the newest: a duration (24h, 7d), the last day (2027-01-31), or a time in RFC 3339 (default never)")
}

// openers open the store at a URL, by its scheme.
var openers = map[string]func(f *storeFlags, url string) (shared.Store, error){
	"postgres":   openPostgres,
	"postgresql": openPostgres,
	"redis":      openRedis,
	"rediss":     openRedis,
	"unix":       openRedis,
	"file":       openFile,
	"http":       openHTTP,
	"https":      openHTTP,
}

const (
	storeSchemes = "postgres://, rediss://, redis://, file: or https://"
	stateSchemes = "postgres://, rediss:// or redis://"
)

// openerFor returns the opener for the URL of l, by its scheme, or for that of the
// environment. Errors do not contain the URL, which may include a password.
func openerFor[F any](openers map[string]F, l location, schemes string) (open F, scheme, url string, err error) {
	url = cmp.Or(l.url, os.Getenv(storeVariable))
	if url == "" {
		return open, "", "", command.Usagef("which store? give --store a URL beginning with %s, or set %s", schemes, storeVariable)
	}
	scheme, _, _ = strings.Cut(url, ":")
	scheme = strings.ToLower(scheme)
	open, ok := openers[scheme]
	if !ok {
		return open, "", "", command.Usagef("there is no store of that kind: a URL begins with %s", schemes)
	}
	return open, scheme, url, nil
}

func openPostgres(f *storeFlags, url string) (shared.Store, error) {
	opts := []postgres.Option{postgres.WithName(f.set)}
	if f.unverified {
		opts = append(opts, postgres.WithUnverifiedServer())
	}
	return postgres.New(url, opts...)
}

func openRedis(f *storeFlags, url string) (shared.Store, error) {
	opts := []redis.Option{redis.WithName(f.set)}
	if f.unverified {
		opts = append(opts, redis.WithUnverifiedServer())
	}
	return redis.New(url, opts...)
}

func (f *storeFlags) use(cmd *cobra.Command, run func(ctx context.Context, s shared.Store) error) error {
	open, scheme, url, err := openerFor(openers, f.location, storeSchemes)
	if err != nil {
		return err
	}
	if len(f.publicKeys)+len(f.privateKeys) > 0 && !isBundle(scheme) {
		return command.Usagef("--public-key and --key are for bundles, in file: or at https://; this store signs nothing")
	}
	if f.expires != "" && scheme != "file" {
		return command.Usagef("--expires is for a bundle in file:; instances ask this store itself what is the newest")
	}
	s, err := open(f, url)
	return useStore(cmd, s, err, run)
}

// useStore calls run with a store, unless opening it has failed.
func useStore[S io.Closer](cmd *cobra.Command, s S, err error, run func(ctx context.Context, s S) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(cmd.Context(), storeTimeout)
	defer cancel()
	return run(ctx, s)
}

func newStore() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "store",
		Short: "Prepare a database for policies that instances share",
		Long: `store prepares a database to which policies are published with "sallyport push".
Redis needs no preparation.`,
	}, newStoreInit(), newStoreSchema())
}

func newStoreInit() *cobra.Command {
	var f storeFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Create the tables of a store",
		Long: `init creates the tables in a PostgreSQL database, in the schema "sallyport", if
they are not there. The role that does so needs the right to create schemas;
neither instances nor publishers do.`,
		Args: command.NoArguments("name the store with --store"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.use(cmd, func(ctx context.Context, s shared.Store) error {
				return createTables(ctx, cmd, s, "store schema --reader ROLE --writer ROLE")
			})
		},
	}
	f.add(cmd)
	return cmd
}

func newStoreSchema() *cobra.Command {
	var reader, writer string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the tables and grants as SQL",
		Long: `schema prints what "store init" runs, and the least that the roles of instances
(--reader) and of those who publish (--writer) need. A reader can change nothing, a
writer can add to the history and not change it.`,
		Example: "  sallyport store schema --reader app --writer publisher | psql app",
		Args:    command.NoArguments("it writes to stdout"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printSchema(cmd, postgres.Schema, postgres.Grants, reader, writer)
		},
	}
	cmd.Flags().StringVar(&reader, "reader", "", "`role` that instances have")
	cmd.Flags().StringVar(&writer, "writer", "", "`role` of those who publish")
	return cmd
}

// createTables creates the tables of a store that has any. grants is the command
// that prints the rights that roles need.
func createTables(ctx context.Context, cmd *cobra.Command, store any, grants string) error {
	m, ok := store.(interface{ Migrate(context.Context) error })
	if !ok {
		return command.Usagef("this store needs no tables")
	}
	err := m.Migrate(ctx)
	if err == nil {
		command.Say(cmd.OutOrStdout(), "the tables are there; grant roles what \"sallyport %s\" prints\n", grants)
	}
	return err
}

// printSchema prints the SQL for tables and for the rights of two roles.
func printSchema(cmd *cobra.Command, schema string, grants func(reader, writer string) (string, error), reader, writer string) error {
	rights, err := grants(reader, writer)
	if err != nil {
		return command.Usage(err)
	}
	command.Say(cmd.OutOrStdout(), "%s%s", schema, rights)
	return nil
}
