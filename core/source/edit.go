package source

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
)

// Edits spare an instance from reading all files of a revision of which a few lines
// are new, for implementations of [Store] which can keep a text beside the newest
// revision: it says what was cut out of the files before and what was put in, so it must
// be kept where none but those who may read the files can read it. An edit is a hint like
// any notification. What comes of it is used only if it has the hash that the store names
// when it is asked; else all files are read, as without it.
//
// The zero Edits know of nothing. They are safe for concurrent use, and keep the
// newest files that they were given.
type Edits struct {
	mu   sync.Mutex
	at   State
	kept *Content // of at, with what is known of its files; nil if there is none
}

// MaxEdit is how many bytes the text of an edit may have.
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

// Keep notes the files that edits begin from: what was read of a state, or
// published. Content that is not of that state is not kept, and none with a proof,
// which an edit cannot make. Content is handed to others afterwards.
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

// Text is what those that have a revision can make files by of what led from it to a
// new state with files. It has of each file all between the first byte that is new and the
// last. It is "" where the files have to be read: what is kept is of another revision,
// files have come or gone, or the text would have more than [MaxEdit] bytes.
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

// Content is that of a state which the store has named just now: what is kept, or made
// of that by the text of an edit, and kept in its place. It is nil where the text, whatever
// it is, leads to something else, or from something else.
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
