//go:build js && wasm

// Command wasm is package playground for a web page. It makes the function
// sallyportAnswer(call, input), which takes and returns texts, then calls
// sallyportReady of the page. The site is built with it by .ci/site.
package main

import (
	"syscall/js"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/playground"
)

func main() {
	var p playground.Playground
	js.Global().Set("sallyportAnswer", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return p.Answer(args[0].String(), args[1].String())
	}))
	js.Global().Call("sallyportReady")
	select {}
}
