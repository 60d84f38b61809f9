package model

import (
	"embed"
)

//go:embed ready/*.conf
var readyModels embed.FS

// Ready is the text of a ready model, named as "rbac.conf", or "" for one that
// there is not.
func Ready(name string) string {
	text, err := readyModels.ReadFile("ready/" + name)
	if err != nil {
		return ""
	}
	return string(text)
}
