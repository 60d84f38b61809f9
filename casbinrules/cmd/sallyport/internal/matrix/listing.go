package matrix

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/printable"
)

// Shared by the pages about a policy.

// Listing is a file of the policy, shown below the table.
type Listing struct {
	Name string
	Text []byte
}

// ListedFile is a file as shown on a page, where each line has an ID to link to.
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

// List prepares files for a page.
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

// Anchors returns the prefixes of line IDs, by file name.
func Anchors(files []ListedFile) map[string]string {
	anchors := map[string]string{}
	for _, f := range files {
		anchors[f.Name] = f.anchor()
	}
	return anchors
}

// SecurityPolicy returns a Content Security Policy that allows a page only its own style
// and script, by their hashes; script is "" for a page without one.
func SecurityPolicy(style, script string) string {
	digest := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	policy := "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src " + digest(style)
	if script != "" {
		policy += "; script-src " + digest(script)
	}
	return policy
}

// Visible returns a text without characters that could forge or hide output.
func Visible(s string) string { return printable.Text(s, "\t") }
