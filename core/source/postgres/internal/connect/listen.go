package connect

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// quiet is for how long a connection may say nothing before it is tested.
	quiet = 15 * time.Second
	// testTimeout is how long the answer to the test may take.
	testTimeout  = 5 * time.Second
	closeTimeout = time.Second
)

// Listen calls hint when it listens on a channel, and for each notification there with
// the payload. It takes a connection of its own, which the server closes when nobody
// is there, and which a query tests now and then. When it is lost, those of the pool that are idle are not used any more: the
// server, or the way to it, is not what it was.
func Listen(ctx context.Context, pool *pgxpool.Pool, channel, payload string, hint func()) error {
	c, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = c.Close(closing) // what was lost is listened to again, and looked at
	}()
	if _, err := c.Exec(ctx, "listen "+channel); err != nil {
		return err
	}
	hint()
	for {
		notified, err := await(ctx, c)
		if err != nil {
			if ctx.Err() == nil {
				pool.Reset()
			}
			return err
		}
		if notified.Payload == payload {
			hint()
		}
	}
}

// await waits for a notification. A connection whose other end is gone without a word
// would be silent forever, so that silence is tested.
func await(ctx context.Context, c *pgx.Conn) (*pgconn.Notification, error) {
	for {
		waiting, cancel := context.WithTimeout(ctx, quiet)
		n, err := c.WaitForNotification(waiting)
		cancel()
		if err == nil {
			return n, nil
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) || c.IsClosed() {
			return nil, err
		}
		testing, cancel := context.WithTimeout(ctx, testTimeout)
		err = c.Ping(testing)
		cancel()
		if err != nil {
			return nil, err
		}
	}
}
