package service

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
)

func newServe() *cobra.Command {
	var file, address string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a guard for nginx, Caddy, Traefik, HAProxy or Envoy",
		Long: `serve runs the guard of a configuration file as a service that a proxy asks
about each request, so that one guard stands before applications of any kind. The
sections serve and proxies of the file say which proxy asks, and from where; the
page docs/proxies.md has the proxy's part.

It answers at /check, at /refusal and, to everybody, at /healthz; at /metrics with
the observer prometheus, and below /openid/ where people sign in at an OpenID
provider. Upon SIGHUP it
reads all files again, the configuration too; if that is wrong, the guard that
was there stays. Upon SIGINT or SIGTERM it answers what it has taken and ends.`,
		Args: command.NoArguments("name the configuration with -c"),
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, file, address) },
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&address, "addr", "", "`address` to listen on, in place of the file's")
	return cmd
}

// serve serves until a signal to stop. While the configuration is being opened, which may
// take half a minute if a store does not answer, such a signal ends the process at once,
// and a SIGHUP waits.
func serve(cmd *cobra.Command, file, address string) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	g, err := openService(file)
	if err != nil {
		return refuseConfig(cmd, err)
	}
	defer g.close()
	ctx, stop := command.UntilSignal(cmd.Context())
	defer stop()
	return g.listen(ctx, cmd.OutOrStdout(), address, hangups)
}

// requestTimeout bounds a request, and how long running requests may continue at the end.
const requestTimeout = 10 * time.Second

// guardService is a guard that a proxy asks. Its configuration can be reloaded
// while it serves.
type guardService struct {
	file     string
	inUse    atomic.Pointer[served]
	ended    chan struct{}
	replaced sync.WaitGroup // configurations that are not closed yet
}

// served is a configuration in use.
type served struct {
	text    []byte
	setup   *setup.Setup
	handler http.Handler
}

func openService(file string) (*guardService, error) {
	g := &guardService{file: file, ended: make(chan struct{})}
	return g, g.open(context.Background())
}

// open replaces the configuration in use by what the file says now. After an error
// the old one stays. It waits for stores until ctx ends.
func (g *guardService) open(ctx context.Context) error {
	text, _ := os.ReadFile(g.file) // Open reports why it cannot be read
	opts := []setup.Option{setup.WithContext(ctx)}
	if now := g.inUse.Load(); now != nil {
		opts = append(opts, setup.WithPredecessor(now.setup))
	}
	made, err := setup.Open(g.file, opts...)
	if err != nil {
		return err
	}
	handler, err := made.Handler()
	if err != nil {
		return errors.Join(err, made.Close())
	}
	if old := g.inUse.Swap(&served{text, made, handler}); old != nil {
		g.replaced.Go(func() {
			select {
			case <-time.After(requestTimeout): // requests that began with it may take that long
			case <-g.ended:
			}
			old.close()
		})
	}
	return nil
}

// close closes all configurations once the service has ended: a decision log that they
// share is written to its end by the last of them.
func (g *guardService) close() {
	close(g.ended)
	g.replaced.Wait()
	g.inUse.Load().close()
}

// reload reads the files again, and replaces the configuration if it has changed, or a
// file of it that is read only once: what a guard has in memory, such as failed attempts,
// survives the former but not the latter.
func (g *guardService) reload(ctx context.Context) error {
	text, err := os.ReadFile(g.file)
	if err != nil {
		return err
	}
	if now := g.inUse.Load(); bytes.Equal(text, now.text) {
		if err := now.setup.Reload(ctx); !errors.Is(err, setup.ErrReadOnce) {
			return err
		}
	}
	return g.open(ctx)
}

func (s *served) close() {
	if err := s.setup.Close(); err != nil {
		s.setup.Logger().Error("closing", "error", err)
	}
}

func (g *guardService) log() *slog.Logger { return g.inUse.Load().setup.Logger() }

func (g *guardService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.inUse.Load().handler.ServeHTTP(w, r)
}

// listen serves until ctx ends, and reloads at each of hangups.
func (g *guardService) listen(ctx context.Context, stdout io.Writer, address string, hangups chan os.Signal) error {
	address = cmp.Or(address, g.inUse.Load().setup.Address())
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		Handler: g, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(g.log().Handler(), slog.LevelWarn),
	}
	defer g.reloadOnHangup(ctx, hangups)()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if _, err := fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return errors.Join(fmt.Errorf("stop: %w", err), server.Close())
	}
	return nil
}

// reloadOnHangup reloads at each SIGHUP until stop is called. Later ones are ignored: they
// would kill the process while it closes the configuration.
func (g *guardService) reloadOnHangup(ctx context.Context, hangups <-chan os.Signal) (stop func()) {
	var done sync.WaitGroup
	stopped := make(chan struct{})
	done.Go(func() {
		for {
			select {
			case <-hangups:
			case <-stopped:
				return
			}
			if err := g.reload(ctx); err != nil {
				g.log().Error("reload failed, what was in force stays", "error", err)
			} else {
				g.log().Info("reloaded", "config", g.file)
			}
		}
	})
	return func() {
		close(stopped)
		done.Wait()
	}
}
