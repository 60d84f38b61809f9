package doccheck

// Snippets build with the modules that this one requires. No example uses the
// one below.
import _ "github.com/sallyport-go/sallyport/casbinrules/setup"
