package model

import (
	"embed"
)

//go:embed ready/*.conf
var presets embed.FS

// Preset returns the text of a preset model, with a name such as "rbac.conf", or ""
// if there is none.
func Preset(name string) string {
	text, err := presets.ReadFile("ready/" + name)
	if err != nil {
		return ""
	}
	return string(text)
}
