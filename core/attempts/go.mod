module github.com/sallyport-go/sallyport/core/attempts

go 1.25.0

require (
	github.com/hashicorp/golang-lru/v2 v2.0.7
	github.com/sallyport-go/sallyport/core v0.0.0
)

replace github.com/sallyport-go/sallyport/core => ../../core
