module github.com/sallyport-go/sallyport/core

go 1.25.0
