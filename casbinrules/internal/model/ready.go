package model

import (
	"embed"
)

//go:embed ready/*.conf
var readyModels embed.FS

// Ready returns the text of a preset model, with a name such as "rbac.conf", or ""
// if there is none.
func Ready(name string) string {
	text, err := readyModels.ReadFile("ready/" + name)
	if err != nil {
		return ""
	}
	return string(text)
}
