package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const checkout = "../../.."

// TestPictureIsTrue goes through the commands of the picture and draws it again.
func TestPictureIsTrue(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: it builds the command and a service, and -short is given")
	}
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("not run: there is no curl on this machine")
	}
	steps, err := record(t.Context(), checkout)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(checkout, file))
	if err != nil {
		t.Fatal(err)
	}
	if want := draw(steps); string(got) != want {
		t.Errorf("%s does not show what the programs print; \"make picture\" draws it again\n%v", file, steps)
	}
}

func TestDrawEscapesAndColours(t *testing.T) {
	steps := []step{{`echo "<&>"`, "HTTP/1.1 401 Unauthorized\nWww-Authenticate: Bearer realm=\"a\"\n\n" + strings.Repeat("x", columns+1) + "\nGET deny allow\n"}}
	svg := draw(steps)
	for _, want := range []string{
		`echo &#34;&lt;&amp;&gt;&#34;`,
		`HTTP/1.1 <tspan class="who">401 Unauthorized</tspan>`,
		`<tspan class="who">Bearer realm=&#34;a&#34;</tspan>`,
		strings.Repeat("x", columns) + "</text>",
		`GET <tspan class="no">deny</tspan> <tspan class="ok">allow</tspan>`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in\n%s", want, svg)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestShortenKeepsWhatMatters(t *testing.T) {
	got := shorten("HTTP/1.1 200 OK\r\nDate: now\r\nVary: Authorization\r\n\r\nhello\n")
	if want := "HTTP/1.1 200 OK\nVary: Authorization\n\nhello\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
