package matrix

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"unicode"
)

// What pages about a policy share.

// Listing is a file of the policy, shown below the table.
type Listing struct {
	Name string
	Text []byte
}

// ListedFile is a file as pages show it, each line with an ID to link to.
type ListedFile struct {
	ID    int
	Name  string
	Lines []ListedLine
}

// ListedLine is a line of a file.
type ListedLine struct {
	ID, Text string
	Number   int
	Comment  bool
}

// List is the files as pages show them.
func List(files []Listing) []ListedFile {
	var all []ListedFile
	for i, f := range files {
		file := ListedFile{ID: i + 1, Name: Visible(f.Name)}
		for n, raw := range strings.Split(strings.TrimRight(string(f.Text), "\r\n"), "\n") {
			text := Visible(strings.TrimRight(raw, "\r"))
			file.Lines = append(file.Lines, ListedLine{
				ID: file.anchor() + strconv.Itoa(n+1), Text: text, Number: n + 1,
				Comment: strings.HasPrefix(strings.TrimSpace(text), "#"),
			})
		}
		all = append(all, file)
	}
	return all
}

func (f *ListedFile) anchor() string { return "f" + strconv.Itoa(f.ID) + "-" }

// Anchors are what the IDs of the lines begin with, by the names of files.
func Anchors(files []ListedFile) map[string]string {
	anchors := map[string]string{}
	for _, f := range files {
		anchors[f.Name] = f.anchor()
	}
	return anchors
}

// Digest is a source expression of Content Security Policy for an inline
// element.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Visible replaces the characters that could forge or hide output.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\t' {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
