package command

import (
	"os"
	"testing"
)

func TestColourIsForTerminals(t *testing.T) {
	if os.Getenv("NO_COLOR") != "" {
		t.Setenv("NO_COLOR", "")
	}
	if got := (Palette{true}).Red("error"); got != "\x1b[31merror\x1b[0m" {
		t.Errorf("got %q", got)
	}
	if got := (Palette{}).Red("error"); got != "error" {
		t.Errorf("got %q", got)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	if PaletteFor(null).on {
		t.Error("a device that is not a terminal gets colour")
	}
}
