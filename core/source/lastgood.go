package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lastGood is what the file of WithLastGoodFile holds.
type lastGood struct {
	Confirmed time.Time `json:"confirmed"`
	// Hash is that of the content, which a disk may garble.
	Hash    string   `json:"sha256"`
	Content *Content `json:"content"`
}

// save writes what was applied.
func (f *Follower) save(confirmed time.Time, of State, c *Content) {
	if f.settings.file == "" || f.saved == of {
		return
	}
	err := writeLastGood(f.settings.file, lastGood{confirmed, of.Hash, c})
	if err == nil {
		f.saved = of
	}
	f.update(func(s *Status) { s.FileErr = err })
}

func writeLastGood(path string, g lastGood) error {
	text, err := json.Marshal(g)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp") // of mode 0600
	if err != nil {
		return fmt.Errorf("keep the last good content: %w", err)
	}
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("keep the last good content: %w", errors.Join(err, os.Remove(temp.Name())))
	}
	return nil
}

// startFromFile applies what was good when the program last ran.
func (f *Follower) startFromFile() error {
	text, err := os.ReadFile(f.settings.file)
	if err != nil {
		return err
	}
	var g lastGood
	if err := json.Unmarshal(text, &g); err != nil {
		return fmt.Errorf("last good file %s: %w", f.settings.file, err)
	}
	if g.Content == nil || g.Content.Revision == 0 || g.Content.Hash() != g.Hash {
		return fmt.Errorf("last good file %s is damaged: remove it", f.settings.file)
	}
	c, err := NewContent(g.Content.Revision, g.Content.Files)
	if err != nil {
		return fmt.Errorf("last good file %s: %w", f.settings.file, err)
	}
	of := State{c.Revision, g.Hash}
	f.seen(of)
	err = guarded(func() error { return f.apply(f.ctx, c) })
	f.saved = of
	unreached := f.Status().Err
	if err := f.tried(g.Confirmed, of, err); err != nil {
		return err
	}
	f.unconfirmed(unreached)
	f.hint()
	return nil
}
