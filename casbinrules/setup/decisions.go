package setup

import (
	"io"
	"os"
	"path/filepath"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// decisions opens the log of decisions.
func (a *assembly) decisions() ([]core.Option, error) {
	c := a.config.Decision
	if c == nil {
		return nil, nil
	}
	opts := []decisionlog.Option{
		decisionlog.WithLogger(a.log), decisionlog.WithQueueSize(c.Queue), decisionlog.WithHeadInterval(c.Heads),
		decisionlog.WithSampleRate(float64(c.Percent) / 100),
	}
	if a.doc.Has(&c.Sample) {
		opts = append(opts, decisionlog.WithSampleKey([]byte(c.Sample.Reveal())))
	}
	if c.Chain {
		opts = append(opts, decisionlog.WithHashChain())
	}
	if a.doc.Has(&c.Key) {
		key, err := decisionlog.ParseKey([]byte(c.Key.Reveal()))
		if err != nil {
			return nil, a.doc.Wrap(err, &c.Key)
		}
		opts = append(opts, decisionlog.WithChainKey(key))
	}
	log, err := a.openDecisions(c, opts)
	if err != nil {
		return nil, a.doc.Wrap(err, &a.config.Decision)
	}
	a.closes(log.Close)
	a.made.reloads = append(a.made.reloads, log.Reopen)
	return []core.Option{core.WithObserver(log)}, nil
}

func (a *assembly) openDecisions(c *decisionConfig, opts []decisionlog.Option) (*decisionlog.Log, error) {
	rotation := []decisionlog.Option{
		decisionlog.WithMaxFileSize(int64(c.MaxSize)), decisionlog.WithMaxFileAge(c.MaxAge), decisionlog.WithMaxFiles(c.Files),
	}
	switch {
	case a.settings.noDecisions:
		return decisionlog.New(io.Discard, opts...)
	case c.Path == "-":
		return decisionlog.New(os.Stdout, opts...)
	case !filepath.IsAbs(c.Path):
		return decisionlog.Open(filepath.Join(a.dir, c.Path), append(opts, rotation...)...)
	}
	return decisionlog.Open(c.Path, append(opts, rotation...)...)
}
