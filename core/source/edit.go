package source

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
)

// Edits save an instance from reading all files of a revision that changes a few
// lines. They are for implementations of [Store] that can keep a text next to the
// newest revision. The text says what was removed from the previous files and what
// was added, so only those who may read the files may be able to read it. An edit
// is a hint like a notification: its result is used only if it has the hash that
// the store reports; otherwise all files are read, as without edits.
//
// The zero Edits is empty. Edits are safe for concurrent use, and keep the newest
// files passed to Keep.
type Edits struct {
	mu   sync.Mutex
	at   State
	kept *Content // of at, with what is known of its files; nil if there is none
}

// MaxEdit is the maximum length in bytes of an edit's text.
const MaxEdit = 64 << 10

// edit is what leads from one state to another one with files of the same names.
type edit struct {
	From  State    `json:"from"`
	To    State    `json:"to"`
	Files []change `json:"files"`
}

// change is what has changed of a file: at an offset some bytes were cut out, and
// others added.
type change struct {
	Name string `json:"name"`
	At   int    `json:"at"`
	Cut  int    `json:"cut,omitempty"`
	Add  []byte `json:"add,omitempty"`
}

// Keep sets the files that edits start from: the content that was read for a state,
// or published. Content that does not match the state is not kept, nor content with
// a proof, which an edit cannot produce. The content may be shared with others
// afterwards.
func (e *Edits) Keep(at State, c *Content) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.Proof != nil || c.Revision != at.Revision {
		return
	}
	if known := c.summedAs(at.Hash); known != nil {
		e.at, e.kept = at, known
	}
}

// Text returns the text with which instances that have revision from can produce
// the files of the new state to. For each file it has everything between the first
// and the last changed byte. It returns "" if the files have to be read: the kept
// content has another revision, files were added or removed, or the text would be
// longer than [MaxEdit] bytes.
func (e *Edits) Text(from Revision, to State, files []File) string {
	e.mu.Lock()
	at, kept := e.at, e.kept
	e.mu.Unlock()
	if kept == nil || at.Revision != from || len(files) != len(kept.Files) {
		return ""
	}
	by := edit{From: at, To: to}
	size := 0
	for i, f := range sorted(files) {
		before := kept.Files[i]
		if f.Name != before.Name {
			return ""
		}
		if bytes.Equal(before.Content, f.Content) {
			continue
		}
		c := changeOf(before.Content, f.Content)
		if size += len(f.Name) + len(c.Add); size > MaxEdit {
			return ""
		}
		c.Name = f.Name
		by.Files = append(by.Files, c)
	}
	text, err := json.Marshal(by)
	if err != nil || len(text) > MaxEdit {
		return ""
	}
	return string(text)
}

// Content returns the content of a state that the store has just reported: the kept
// content, or the result of applying the text of an edit to it, which then replaces
// it. It returns nil if the text, which may be anything, does not lead from the
// kept content to that state.
func (e *Edits) Content(to State, text string) *Content {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.kept == nil {
		return nil
	}
	if e.at == to {
		return e.kept // others who follow the store have asked for it
	}
	var by edit
	if len(text) > MaxEdit || json.Unmarshal([]byte(text), &by) != nil || by.From != e.at || by.To != to {
		return nil
	}
	files := slices.Clone(e.kept.Files)
	if !by.apply(files) {
		return nil
	}
	known := e.kept.summed.edited(&by, files)
	if known.hash != to.Hash {
		return nil
	}
	c := &Content{Revision: to.Revision, Files: files, summed: known}
	e.at, e.kept = to, c
	return c
}

// apply changes files in place, but not what they hold, and reports whether the edit
// can be one of theirs.
func (by *edit) apply(files []File) bool {
	size := 0
	for _, f := range files {
		size += len(f.Content)
	}
	left := files // each is copied once, however often somebody names it
	for _, c := range by.Files {
		i := slices.IndexFunc(left, func(f File) bool { return f.Name == c.Name })
		if i < 0 {
			return false
		}
		before := left[i].Content
		if c.At < 0 || c.At > len(before) || c.Cut < 0 || c.Cut > len(before)-c.At {
			return false
		}
		if size += len(c.Add) - c.Cut; size > MaxSize {
			return false
		}
		left[i].Content = slices.Concat(before[:c.At], c.Add, before[c.At+c.Cut:])
		left = left[i+1:]
	}
	return true
}

// changeOf is what lies between what two texts begin and end with alike.
func changeOf(before, now []byte) change {
	at := sameBytes(before, now, func(text []byte, n, size int) []byte { return text[n : n+size] })
	end := sameBytes(before[at:], now[at:], func(text []byte, n, size int) []byte { return text[len(text)-n-size : len(text)-n] })
	return change{At: at, Cut: len(before) - end - at, Add: now[at : len(now)-end]}
}

// sameBytes is how many bytes are the same at one end of two texts, of which part has
// some behind the first n.
func sameBytes(a, b []byte, part func(text []byte, n, size int) []byte) int {
	n, most := 0, min(len(a), len(b))
	for size := 1 << 12; size > 0; size /= 16 {
		for n+size <= most && bytes.Equal(part(a, n, size), part(b, n, size)) {
			n += size
		}
	}
	return n
}

// summedAs is c with what is known of its files, and nil if they do not have a hash. It is
// a copy if that was not known: others may have c.
func (c *Content) summedAs(hash string) *Content {
	if !c.summed.of(c) {
		known := *c
		known.Files = sorted(c.Files)
		known.summed = sumUp(known.Files)
		c = &known
	}
	if c.summed.hash != hash {
		return nil
	}
	return c
}
