module github.com/sallyport-go/sallyport/fiberauth

go 1.26.0

require (
	github.com/gofiber/fiber/v2 v2.52.15
	github.com/sallyport-go/sallyport/core v0.0.0
	github.com/sallyport-go/sallyport/fiberauth/fasthttpauth v0.0.0
	github.com/valyala/fasthttp v1.79.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/klauspost/compress v1.20.4 // indirect
	github.com/mattn/go-colorable v0.1.13 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/mattn/go-runewidth v0.0.16 // indirect
	github.com/molecule-man/go-brrr v1.3.1 // indirect
	github.com/philhofer/fwd v1.1.3-0.20240916144458-20a13a1f6b7c // indirect
	github.com/rivo/uniseg v0.2.0 // indirect
	github.com/tinylib/msgp v1.2.5 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace (
	github.com/sallyport-go/sallyport/core => ../core
	github.com/sallyport-go/sallyport/fiberauth/fasthttpauth => ./fasthttpauth
)
