// Package lostpeer is for transports that keep connections.
package lostpeer

import (
	"net/http"
	"time"
)

// Pings returns the settings with which a transport tests an HTTP/2 connection that is
// silent. A connection whose other end has vanished without a word, for instance in a
// firewall, is closed after 15 s. Without a test all requests would share it, and time out,
// until the kernel gives it up after some 15 minutes.
func Pings() *http.HTTP2Config {
	return &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}
}
