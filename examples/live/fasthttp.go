package main

import (
	"context"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
)

// upgrader makes WebSockets of requests on both majors of Fiber. It takes those of
// pages of this site alone, as the gate in front of it does.
var upgrader websocket.FastHTTPUpgrader

// talkOnFiber is talk for Fiber. ctx is that of the request, with what the gates have
// found out; r is good until the handler returns, and the conversation goes on then.
func (s *site) talkOnFiber(ctx context.Context, r *fasthttp.RequestCtx) {
	_ = upgrader.Upgrade(r, func(c *websocket.Conn) { // with an error it has answered
		good, cancel := core.ContextWhileGood(ctx, s.every, time.Minute)
		defer cancel()
		stop := context.AfterFunc(good, func() {
			bye := websocket.FormatCloseMessage(core.CloseCode(good), "")
			_ = c.WriteControl(websocket.CloseMessage, bye, time.Now().Add(5*time.Second)) // the client may have gone
			_ = c.Close()                                                                  // so that ReadMessage ends
		})
		defer stop()
		c.SetReadLimit(32 << 10) // there is none unless it is set
		for {
			kind, message, err := c.ReadMessage()
			if err != nil {
				return
			}
			if err := c.WriteMessage(kind, message); err != nil {
				return
			}
		}
	})
}
