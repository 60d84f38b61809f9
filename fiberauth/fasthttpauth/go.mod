module github.com/sallyport-go/sallyport/fiberauth/fasthttpauth

go 1.26.0

require (
	github.com/sallyport-go/sallyport/core v0.0.0
	github.com/valyala/fasthttp v1.79.0
)

require (
	github.com/klauspost/compress v1.20.4 // indirect
	github.com/molecule-man/go-brrr v1.3.1 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
)

replace github.com/sallyport-go/sallyport/core => ../../core
