//go:build !linux

package sockets

import (
	"errors"
	"time"
)

// Client sends one request again and again over some connections, on Linux.
type Client struct{}

// Result is what came of sending for a while.
type Result struct {
	Requests  int
	Elapsed   time.Duration
	Latencies []time.Duration
}

// Quantile is the latency that the part q of the answers had at most.
func (*Result) Quantile(float64) time.Duration { return 0 }

var errLinux = errors.New("sockets are measured on Linux alone")

// Dial fails: there is no client for this system.
func Dial(string, int, []byte, int) (*Client, error) { return nil, errLinux }

// Run fails as [Dial] does.
func (*Client) Run(time.Duration, time.Duration) (Result, error) { return Result{}, errLinux }

// Close does nothing.
func (*Client) Close() {}
