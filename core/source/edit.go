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
	kept *Content // of the state at, with hash and sums; nil if there is none
}

// MaxEdit is the maximum length in bytes of an edit's text.
const MaxEdit = 64 << 10

// edit leads from one state to another one with files of the same names.
type edit struct {
	From  State    `json:"from"`
	To    State    `json:"to"`
	Files []change `json:"files"`
}

// change is a change of a file: at an offset some bytes were removed, and others added.
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
		return e.kept // another follower of the store has already asked for it
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

// apply replaces changed files in the slice, without modifying their bytes, and reports
// whether the edit fits them.
func (by *edit) apply(files []File) bool {
	size := 0
	for _, f := range files {
		size += len(f.Content)
	}
	left := files // each is copied at most once, however often the edit names it
	for _, c := range by.Files {
		i := slices.IndexFunc(left, func(f File) bool { return f.Name == c.Name })
		if i < 0 {
			return false
		}
		before := left[i].Content
		if c.At < 0 || c.Cut < 0 || c.Cut > len(before)-c.At {
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

// changeOf returns the change between the common beginning and the common end of
// two texts.
func changeOf(before, now []byte) change {
	at := sameBytes(before, now, func(text []byte, n, size int) []byte { return text[n : n+size] })
	end := sameBytes(before[at:], now[at:], func(text []byte, n, size int) []byte { return text[len(text)-n-size : len(text)-n] })
	return change{At: at, Cut: len(before) - end - at, Add: now[at : len(now)-end]}
}

// sameBytes returns how many bytes are equal at one end of two texts; part returns size
// bytes of a text after the first n from that end.
func sameBytes(a, b []byte, part func(text []byte, n, size int) []byte) int {
	n, most := 0, min(len(a), len(b))
	for size := 1 << 12; size > 0; size /= 16 {
		for n+size <= most && bytes.Equal(part(a, n, size), part(b, n, size)) {
			n += size
		}
	}
	return n
}

// summedAs returns c with the hash and sums of its files, or nil if they do not have the
// given hash. The result is a copy if these were not known, since others may have c.
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
