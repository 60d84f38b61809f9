package stores

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgresstate"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
)

// state is what the instances of a service share.
type state interface {
	Revocations() revoke.Log
	Close() error
}

type stateFlags struct {
	location
	service string
}

func (f *stateFlags) add(cmd *cobra.Command) {
	f.location.add(cmd, "app")
	cmd.Flags().StringVar(&f.service, "service", "default", "`name` of the service, in a store with several")
}

// stateOpeners open the state at a URL, by its scheme.
var stateOpeners = map[string]func(f *stateFlags, url string) (state, error){
	"postgres":   openPostgresState,
	"postgresql": openPostgresState,
	"redis":      openRedisState,
	"rediss":     openRedisState,
	"unix":       openRedisState,
}

func openPostgresState(f *stateFlags, url string) (state, error) {
	opts := []postgresstate.Option{postgresstate.WithName(f.service), postgresstate.WithTimeout(storeTimeout)}
	if f.unverified {
		opts = append(opts, postgresstate.WithUnverifiedServer())
	}
	return postgresstate.New(url, opts...)
}

func openRedisState(f *stateFlags, url string) (state, error) {
	opts := []redisstate.Option{redisstate.WithName(f.service), redisstate.WithTimeout(redisTimeout)}
	if f.unverified {
		opts = append(opts, redisstate.WithUnverifiedServer())
	}
	return redisstate.New(url, opts...)
}

func (f *stateFlags) use(cmd *cobra.Command, run func(ctx context.Context, s state) error) error {
	open, _, url, err := openerFor(stateOpeners, f.location, stateSchemes)
	if err != nil {
		return err
	}
	s, err := open(f, url)
	return useStore(cmd, s, err, run)
}

func newState() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "state",
		Short: "Prepare a database for revocations and sessions that instances share",
		Long: `state prepares a database in which the instances of a service keep revocations
and sessions. Redis needs no preparation.`,
	}, newStateInit(), newStateSchema())
}

func newStateInit() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Create the tables of the state",
		Long: `init creates the tables in a PostgreSQL database, in the schema
"sallyport_state", if they are not there. The role that does so needs the right to
create schemas; services do not.`,
		Args: command.NoArguments("name the store with --store"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.use(cmd, func(ctx context.Context, s state) error {
				return createTables(ctx, cmd, s, "state schema --reader ROLE --app ROLE")
			})
		},
	}
	f.add(cmd)
	return cmd
}

func newStateSchema() *cobra.Command {
	var reader, app string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the tables and grants as SQL",
		Long: `schema prints what "state init" runs, and the least that the roles of services
need: of those that revoke and keep sessions (--app), and of those that only follow
revocations (--reader). Neither can take a revocation back.`,
		Example: "  sallyport state schema --reader verifier --app app | psql app",
		Args:    command.NoArguments("it writes to stdout"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printSchema(cmd, postgresstate.Schema, postgresstate.Grants, reader, app)
		},
	}
	cmd.Flags().StringVar(&reader, "reader", "", "`role` of services that only follow revocations")
	cmd.Flags().StringVar(&app, "app", "", "`role` of services that revoke and keep sessions")
	return cmd
}
