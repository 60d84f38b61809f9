package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// read are the methods of what changes nothing, for routers that keep HEAD
// apart from GET.
var read = []string{http.MethodGet, http.MethodHead}

// The limits of the servers. A form has no reason to be longer than maxBody,
// in bytes; grace is how long requests under way may take to finish once the
// server is told to stop.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = time.Minute
	maxBody      = 64 << 10
	grace        = 20 * time.Second
)

// server is a web server of any framework. [*http.Server] is one.
type server interface {
	// Serve answers requests until Shutdown is called.
	Serve(l net.Listener) error
	// Shutdown waits for requests under way, at most until ctx ends.
	Shutdown(ctx context.Context) error
}

func httpServer(h http.Handler) server {
	return &http.Server{
		Handler:     http.MaxBytesHandler(h, maxBody),
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}
}

// serve serves on addr until ctx ends.
func serve(ctx context.Context, s server, addr string, stdout io.Writer) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if _, err := fmt.Fprintf(stdout, "listening on http://%s\n", l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err = s.Shutdown(ctx)
	_ = l.Close() // in case the server had not taken it yet
	<-served
	if err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}

// isLoopback reports whether addr, with a port, is of this machine alone.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
