package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
)

// Show reads the file at path and returns it as YAML with every default filled in.
// Environment variables appear by name, and secrets by where they come from, so the
// result can be shown to others. Errors are those of [Open] about the file itself;
// Show checks that the files it names exist, but opens none of them.
func Show(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	c, doc, err := read(path, text)
	if err != nil {
		return nil, err
	}
	return doc.Show(c)
}

// Schema returns a JSON schema (draft 7) of the file, for editors. It contains the
// kinds that this program has.
func Schema() ([]byte, error) {
	s := decode.Schema(reflect.TypeFor[config](), kindsOf)
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "sallyport.yaml"
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("setup: schema: %w", err)
	}
	return b.Bytes(), nil
}
