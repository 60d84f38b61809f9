module github.com/sallyport-go/sallyport/examples

go 1.26.0

require github.com/sallyport-go/sallyport/core v0.0.0

replace github.com/sallyport-go/sallyport/core => ../core
