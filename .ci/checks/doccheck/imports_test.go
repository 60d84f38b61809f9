package doccheck

// Snippets build with the modules that this one requires. No example uses the
// ones below.
import _ "github.com/sallyport-go/sallyport/core/attempts"
