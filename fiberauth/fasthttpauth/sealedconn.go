package fasthttpauth

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

var errSealed = errors.New("fasthttpauth: the request was refused and the response is complete")

// sealedConn is what handlers find in place of the connection of a request that has
// been answered: it has the addresses, and nothing can be read or written.
type sealedConn struct{ of net.Conn }

// handshaker is a TLS connection, as fasthttp recognizes one.
type handshaker interface {
	Handshake() error
	ConnectionState() tls.ConnectionState
}

// sealedTLS is a sealedConn with TLS.
type sealedTLS struct {
	sealedConn
	handshaker
}

// sealedOff returns what replaces conn, which is nil outside of a server.
func sealedOff(conn net.Conn) net.Conn {
	if conn == nil {
		return nil
	}
	if t, ok := conn.(handshaker); ok {
		return sealedTLS{sealedConn{conn}, t}
	}
	return sealedConn{conn}
}

func (sealedConn) Read([]byte) (int, error)         { return 0, errSealed }
func (sealedConn) Write([]byte) (int, error)        { return 0, errSealed }
func (sealedConn) Close() error                     { return errSealed }
func (c sealedConn) LocalAddr() net.Addr            { return c.of.LocalAddr() }
func (c sealedConn) RemoteAddr() net.Addr           { return c.of.RemoteAddr() }
func (sealedConn) SetDeadline(time.Time) error      { return errSealed }
func (sealedConn) SetReadDeadline(time.Time) error  { return errSealed }
func (sealedConn) SetWriteDeadline(time.Time) error { return errSealed }
