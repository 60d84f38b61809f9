package doccheck

// Snippets build with the modules that this one requires. No example uses the
// first, and no check the second.
import (
	_ "github.com/sallyport-go/sallyport/casbinrules/setup"

	_ "github.com/fasthttp/websocket"
)
