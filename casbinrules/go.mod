module github.com/sallyport-go/sallyport/casbinrules

go 1.25.0

require github.com/sallyport-go/sallyport/core v0.0.0

replace github.com/sallyport-go/sallyport/core => ../core
