package openapi

import "testing"

// FuzzParse: every file is either refused, or merged and written as a document that
// parses again.
func FuzzParse(f *testing.F) {
	for _, content := range []string{
		inYAML, inJSON,
		"openapi: 3.1.0\npaths: {/a: &a {get: {}}, /b: *a, /c: {<<: [*a, *a], post: ~}}\n",
		"openapi: 3.0.0\npaths:\ncomponents: {securitySchemes: , responses: {}}\nservers: [{url: /v1}]\nsecurity: [{}]\n",
		"openapi: &v 3.1.0\n? [a]\n: b\npaths: &p {/a: *p}\n",
	} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		doc, err := Parse(t.Context(), "api", content)
		if err != nil {
			return
		}
		if _, err := doc.Merge(guard(), nil, never); err != nil {
			return
		}
		written, err := doc.Bytes()
		if err != nil {
			return
		}
		if _, err := Parse(t.Context(), "api", written); err != nil {
			t.Errorf("%q is written, which is refused: %v", written, err)
		}
	})
}
