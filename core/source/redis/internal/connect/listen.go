package connect

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// quiet is how long a connection may be silent before it is tested.
	quiet = 15 * time.Second
	// answer is the timeout of that test.
	answer = 5 * time.Second
)

// Listen calls hint when it has subscribed to a channel, and with the text of each message
// there, until ctx ends or the connection is lost. It returns the reason.
func Listen(ctx context.Context, client *Client, channel string, hint func(text string)) error {
	sub := client.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	// ReceiveTimeout does not return early when ctx ends.
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })()
	for {
		got, err := sub.ReceiveTimeout(ctx, quiet)
		var timeout net.Error
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &timeout) && timeout.Timeout():
			// A connection to a dead peer would stay silent forever, so it must answer
			// before the next such period is over.
			if err := sub.Ping(ctx); err != nil {
				return err
			}
			if _, err := sub.ReceiveTimeout(ctx, answer); err != nil {
				return err
			}
			hint("") // it may have been a notification
		case err != nil:
			return explain(err, "channel "+channel)
		default:
			if m, is := got.(*redis.Message); is {
				hint(m.Payload)
			} else if _, pong := got.(*redis.Pong); !pong {
				hint("") // for the subscription itself, too
			}
		}
	}
}
