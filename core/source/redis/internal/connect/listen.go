package connect

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// quiet is for how long a connection may say nothing before it is tested.
	quiet = 15 * time.Second
	// answer is how long the answer to the test may take.
	answer = 5 * time.Second
)

// Listen calls hint when it listens on a channel, and with the text of each message
// there, until ctx ends or the connection is lost, and returns why.
func Listen(ctx context.Context, client *redis.Client, channel string, hint func(text string)) error {
	sub := client.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	// The end of ctx does not end a wait that has begun.
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })()
	for {
		got, err := sub.ReceiveTimeout(ctx, quiet)
		var timeout net.Error
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &timeout) && timeout.Timeout():
			// A connection whose other end is gone would be silent forever: it
			// has to answer before the next silence is over.
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
