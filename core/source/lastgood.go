package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// lastGood is the content of the file of WithLastGoodFile.
type lastGood struct {
	Confirmed time.Time `json:"confirmed"`
	// Hash is the hash of the content, which may be damaged on disk.
	Hash    string   `json:"sha256"`
	Content *Content `json:"content"`
}

// confirmation says until when the source has confirmed the content of the last
// good file. It is in a small file of its own, so that the content is not rewritten
// each time.
type confirmation struct {
	Revision  Revision  `json:"revision"`
	Hash      string    `json:"sha256"`
	Confirmed time.Time `json:"confirmed"`
}

const (
	confirmedSuffix = ".confirmed"
	// confirmedEvery is how often a confirmation is written.
	confirmedEvery = time.Minute
)

// saveConfirmation writes that the saved content is still the newest.
func (f *Follower) saveConfirmation(asked time.Time, of State) {
	if f.settings.file == "" || f.saved != of || !asked.After(f.savedTime) {
		return
	}
	err := replaceFile(f.settings.file+confirmedSuffix, confirmation{of.Revision, of.Hash, asked})
	if err == nil {
		f.savedTime = asked
	}
	f.update(func(s *Status) { s.FileErr = err })
}

// unkept reports whether the content in force could not be written, and it is time to try
// again. The lock must be held.
func (f *Follower) unkept() bool {
	return f.settings.file != "" && f.saved != f.inForce && f.known == f.inForce && time.Since(f.saveTried) >= confirmedEvery
}

// save writes the applied content.
func (f *Follower) save(confirmed time.Time, of State, c *Content) {
	if f.settings.file == "" || f.saved == of {
		return
	}
	f.saveTried = time.Now()
	err := replaceFile(f.settings.file, lastGood{confirmed, of.Hash, c})
	if err == nil {
		f.saved, f.savedTime = of, confirmed
	}
	f.update(func(s *Status) { s.FileErr = err })
}

// replaceFile replaces a file as a whole.
func replaceFile(path string, v any) error {
	text, err := json.Marshal(v)
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

// readLastGood reads the content that was in force when the program last ran. Without a
// file it returns nil and fs.ErrNotExist.
func (f *Follower) readLastGood() (*lastGood, error) {
	if f.settings.file == "" {
		return nil, fs.ErrNotExist
	}
	text, err := os.ReadFile(f.settings.file)
	if err != nil {
		return nil, err
	}
	g := new(lastGood)
	if err := json.Unmarshal(text, g); err != nil {
		return nil, fmt.Errorf("last good file %s: %w", f.settings.file, err)
	}
	if g.Content == nil || g.Content.Revision == 0 || g.Content.Hash() != g.Hash {
		return nil, fmt.Errorf("last good file %s is damaged: remove it", f.settings.file)
	}
	proof := g.Content.Proof
	if g.Content, err = NewContent(g.Content.Revision, g.Content.Files); err != nil {
		return nil, fmt.Errorf("last good file %s: %w", f.settings.file, err)
	}
	g.Content.Proof = proof
	if err := f.verify(g.Content); err != nil {
		return nil, fmt.Errorf("last good file %s: %w", f.settings.file, err)
	}
	// If that file is missing, damaged or about other content, the content counts as
	// older than it is.
	var c confirmation
	if text, err := os.ReadFile(f.settings.file + confirmedSuffix); err == nil && json.Unmarshal(text, &c) == nil &&
		c.Revision == g.Content.Revision && c.Hash == g.Hash && c.Confirmed.After(g.Confirmed) {
		g.Confirmed = c.Confirmed
	}
	return g, nil
}

// verify verifies content of the file, if the source can do that.
func (f *Follower) verify(c *Content) error {
	if v := verifierOf(f.source); v != nil {
		return guarded(func() error { return v.Verify(c) })
	}
	return f.checkProof(c)
}

// checkProof returns an error for content that could not be verified when read again.
func (f *Follower) checkProof(c *Content) error {
	if f.settings.file != "" && c.Proof != nil && verifierOf(f.source) == nil {
		return errUnverifiable
	}
	return nil
}

var errUnverifiable = errors.New("signed content cannot be kept in the last good file, because the source cannot verify it again: give what wraps the source a method Unwrap() source.Source")

// startWith applies the content that was in force when the program last ran.
func (f *Follower) startWith(g *lastGood) error {
	unreached := f.Status().Err
	of := State{g.Content.Revision, g.Hash}
	f.seen(of)
	err := guarded(func() error { return f.apply(f.ctx, g.Content) })
	f.saved, f.savedTime = of, g.Confirmed
	confirmed := time.Now().Add(-max(0, time.Since(g.Confirmed))) // with a monotonic clock reading
	if err := f.tried(confirmed, of, err); err != nil {
		return err
	}
	f.unconfirmed(unreached)
	f.hint()
	return nil
}
